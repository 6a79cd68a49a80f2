//! Bridges sign on behalf of systems that cannot: GitHub and Alertmanager.
