//! TLS to a PostgreSQL: the modes that libpq has, with the meaning that libpq gives them.

use std::process::Command;

use crate::{
    ledger::Ledger,
    postgres::{Cluster, Database, SERVICE_ROLE},
    postgres_trouble::piperoll,
    support,
};

/// Runs `openssl` with arguments given as words.
fn openssl(folder: &std::path::Path, words: &str) {
    let output = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[expect(
    clippy::too_many_lines,
    reason = "one server with TLS serves the whole table"
)]
#[tokio::test(flavor = "multi_thread")]
async fn tls_is_chosen_as_libpq_does() {
    let test = "tls_is_chosen_as_libpq_does";
    if Command::new("openssl").arg("version").output().is_err() {
        return support::skip(test, "openssl is not there");
    }
    let Some(cluster) = Cluster::make(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(
        folder.path(),
        &format!("req -x509 {key} -subj /CN=root -keyout root.key -out root.pem"),
    );
    openssl(
        folder.path(),
        &format!("req -x509 {key} -subj /CN=other -keyout other.key -out other.pem"),
    );
    openssl(
        folder.path(),
        &format!(
            "req -x509 {key} -subj /CN=db -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
         -CA root.pem -CAkey root.key -keyout server.key -out server.pem"
        ),
    );
    for file in ["server.key", "server.pem"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        cluster.write(&format!("data/{file}"), &bytes);
    }
    cluster.write(
        "data/pg_hba.conf",
        b"local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
    );
    let port = free_port();
    cluster.start(&format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key"
    ));
    let local = format!("{}&port={port}", cluster.address());
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &local));
    let name = &ledger.database.as_ref().unwrap().name;
    let verify = |host: &str, members: &str| {
        let address = format!("postgres://{SERVICE_ROLE}@{host}:{port}/{name}?{members}");
        piperoll(&["verify"], &address, &[])
    };
    let root = folder.path().join("root.pem");
    let other = folder.path().join("other.pem");
    let (root, other) = (root.display(), other.display());
    for members in [
        "sslmode=prefer".to_owned(),
        "sslmode=require".to_owned(),
        format!("sslmode=verify-ca&sslrootcert={root}"),
        format!("sslmode=verify-full&sslrootcert={root}"),
    ] {
        let (code, said) = verify("localhost", &members);
        assert_eq!(code, Some(0), "{members}: {said}");
    }
    // By its number it is another name than the certificate's.
    let (code, said) = verify(
        "127.0.0.1",
        &format!("sslmode=verify-ca&sslrootcert={root}"),
    );
    assert_eq!(code, Some(0), "{said}");
    for (host, members) in [
        (
            "127.0.0.1",
            format!("sslmode=verify-full&sslrootcert={root}"),
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={other}"),
        ),
        (
            "localhost",
            format!("sslmode=verify-ca&sslrootcert={other}"),
        ),
        ("localhost", "sslmode=disable".to_owned()),
        ("localhost", "sslmode=sometimes".to_owned()),
    ] {
        let (code, said) = verify(host, &members);
        assert!(matches!(code, Some(1 | 2)), "{members}: {said}");
    }
}
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
