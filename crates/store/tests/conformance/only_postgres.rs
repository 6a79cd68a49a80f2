//! What can be wrong with a server, a role and the wire to them.

use std::time::{Duration, Instant};

use piperoll_store::{Address, Error, OpenMode, Shared, admin, postgres};

use crate::{
    make::{self, batch, entry},
    place::Place,
    proxy::{Fate, Proxy},
    server::Server,
};

async fn unfit(address: &Address, mode: OpenMode) -> String {
    match piperoll_store::open(address, mode).await.map(drop) {
        Err(Error::Unfit { what, remedy }) => format!("{what}; {remedy}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_made_a_ledger_only_when_asked() {
    let Some(place) =
        Place::empty_postgres("an_empty_database_is_made_a_ledger_only_when_asked").await
    else {
        return;
    };
    for mode in [OpenMode::ReadOnly, OpenMode::ReadWrite] {
        let said = unfit(&place.owner_address(), mode).await;
        assert!(
            said.contains("holds nothing yet") && said.contains("piperoll init"),
            "{said}"
        );
    }
    let said = unfit(&place.address(), OpenMode::Create).await;
    assert!(
        said.contains("lacks a right"),
        "the role that serves makes no tables: {said}"
    );
    // Several at once: the advisory lock lets one make the tables, the others find them.
    let tries: Vec<_> = (0..4)
        .map(|_| {
            let address = place.owner_address();
            tokio::spawn(async move { admin::migrate(&address, None).await })
        })
        .collect();
    for one in tries {
        one.await.unwrap().unwrap();
    }
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_others_newer_and_altered_ones_are_told_apart() {
    let rule = "databases_of_others_newer_and_altered_ones_are_told_apart";
    let Some(place) = Place::empty_postgres(rule).await else {
        return;
    };
    let all = [OpenMode::ReadOnly, OpenMode::ReadWrite, OpenMode::Create];
    place
        .raw("create table invoice (number bigint)")
        .await
        .unwrap();
    for mode in all {
        let said = unfit(&place.owner_address(), mode).await;
        assert!(said.contains("not Piperoll's"), "{said}");
    }
    place.raw("drop table invoice").await.unwrap();
    admin::migrate(&place.owner_address(), None).await.unwrap();
    place
        .raw("update _sqlx_migrations set checksum = '\\x00'")
        .await
        .unwrap();
    for mode in all {
        let said = unfit(&place.owner_address(), mode).await;
        assert!(said.contains("differ from this version's"), "{said}");
    }
    place
        .raw("update _sqlx_migrations set version = 99")
        .await
        .unwrap();
    for mode in all {
        let said = unfit(&place.owner_address(), mode).await;
        assert!(said.contains("newer version"), "{said}");
    }
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_could_lose_a_receipt_are_refused() {
    let Some(place) = Place::postgres("settings_that_could_lose_a_receipt_are_refused").await
    else {
        return;
    };
    let name = place.name();
    place
        .raw(&format!(
            "alter database {name} set synchronous_commit = off"
        ))
        .await
        .unwrap();
    for mode in [OpenMode::ReadWrite, OpenMode::Create] {
        let said = unfit(&place.address(), mode).await;
        assert!(said.contains("synchronous_commit=off"), "{said}");
    }
    place
        .raw(&format!("alter database {name} reset synchronous_commit"))
        .await
        .unwrap();
    place.open(OpenMode::ReadWrite).await.close().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_another_encoding_is_refused() {
    let Some(place) = Place::empty_postgres("a_database_in_another_encoding_is_refused").await
    else {
        return;
    };
    let name = format!("{}_latin", place.name());
    place
        .raw(&format!(
            "create database {name} encoding 'LATIN1' template template0 locale 'C'"
        ))
        .await
        .unwrap();
    let said = unfit(&place.address_of(&name), OpenMode::Create).await;
    assert!(said.contains("LATIN1") && said.contains("UTF8"), "{said}");
    place.raw(&format!("drop database {name}")).await.unwrap();
    let said = unfit(&place.address_of(&name), OpenMode::ReadWrite).await;
    assert!(said.contains("no such database"), "{said}");
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_a_needed_right_is_refused_by_name() {
    let Some(place) = Place::postgres("a_role_without_a_needed_right_is_refused_by_name").await
    else {
        return;
    };
    place
        .raw("revoke insert on refused from piperoll_test_service")
        .await
        .unwrap();
    let said = unfit(&place.address(), OpenMode::ReadWrite).await;
    assert!(
        said.contains("insert on refused") && said.contains("admin migrate"),
        "{said}"
    );
    place.open(OpenMode::ReadOnly).await.close().await;
    place
        .raw("revoke select on text from piperoll_test_service")
        .await
        .unwrap();
    let said = unfit(&place.address(), OpenMode::ReadOnly).await;
    assert!(said.contains("select on text"), "{said}");
    admin::migrate(&place.owner_address(), Some("piperoll_test_service"))
        .await
        .unwrap();
    place.open(OpenMode::ReadWrite).await.close().await;
    place.end().await;
}

#[tokio::test]
async fn a_password_never_shows() {
    for address in [
        "postgres://me:hunter2@127.0.0.1:1/ledger?sslmode=disable",
        "postgres://me:hunter2@127.0.0.1:port/ledger",
        "postgres://me@127.0.0.1:1/ledger?passwort=hunter2",
        "postgres://me:hunter2@127.0.0.1:1/ledger?sslmode=sometimes",
    ] {
        let parsed = Address::parse(address).unwrap();
        let error = piperoll_store::open(&parsed, OpenMode::ReadWrite)
            .await
            .map(drop)
            .unwrap_err();
        let said = format!("{parsed} {parsed:?} {error} {error:?}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let parsed =
        Address::parse("postgres://me:hunter2@db.example/ledger?sslmode=verify-full").unwrap();
    assert_eq!(
        parsed.to_string(),
        "the database \"ledger\" at db.example:5432"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let error = postgres::open(
        "postgres://me@127.0.0.1:1/ledger?sslmode=disable",
        OpenMode::ReadWrite,
    )
    .await;
    assert!(matches!(error.map(drop), Err(Error::Unavailable(_))));
}

/// A store whose connections go over the wire.
async fn wired(place: &Place) -> (Proxy, Shared) {
    let proxy = Proxy::before(place.socket()).await;
    let address = place.address_at(&format!("127.0.0.1:{}", proxy.port));
    let store = piperoll_store::open(&address, OpenMode::ReadWrite)
        .await
        .unwrap();
    store.commit(batch(0, 3)).await.unwrap();
    (proxy, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_failed_and_was_lost_is_unknown_and_can_be_done_again() {
    let rule = "a_commit_that_failed_and_was_lost_is_unknown_and_can_be_done_again";
    let Some(place) = Place::postgres(rule).await else {
        return;
    };
    let (proxy, store) = wired(&place).await;
    for round in 0..3 {
        let size = 3 + round * 2;
        proxy.next_commit(Fate::Lost);
        assert!(matches!(
            store.commit(make::batch(size, 2)).await,
            Err(Error::Unknown(_))
        ));
        assert_eq!(
            store.head().await.unwrap().unwrap().size,
            size,
            "read again, then decide"
        );
        store.commit(make::batch(size, 2)).await.unwrap();
    }
    let indexes: Vec<u64> = store
        .entries(0, 100)
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.index)
        .collect();
    assert_eq!(indexes, (0..9).collect::<Vec<_>>());
    store.close().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_failed_but_was_kept_is_unknown_and_conflicts_when_done_again() {
    let rule = "a_commit_that_failed_but_was_kept_is_unknown_and_conflicts_when_done_again";
    let Some(place) = Place::postgres(rule).await else {
        return;
    };
    let (proxy, store) = wired(&place).await;
    for round in 0..3 {
        let size = 3 + round * 2;
        proxy.next_commit(Fate::Kept);
        assert!(matches!(
            store.commit(make::batch(size, 2)).await,
            Err(Error::Unknown(_))
        ));
        assert!(matches!(
            store.commit(make::batch(size, 2)).await,
            Err(Error::Conflict)
        ));
        assert_eq!(store.head().await.unwrap().unwrap().size, size + 2);
    }
    assert_eq!(store.entries(0, 100).await.unwrap().len(), 9);
    store.close().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_stops_before_its_commit_holds_nobody_up() {
    let Some(place) =
        Place::postgres("a_writer_that_stops_before_its_commit_holds_nobody_up").await
    else {
        return;
    };
    let (proxy, stopped) = wired(&place).await;
    proxy.next_commit(Fate::Late);
    let late = tokio::spawn({
        let stopped = stopped.clone();
        async move { stopped.commit(batch(3, 2)).await }
    });
    proxy.held().await;
    let other = place.open(OpenMode::ReadWrite).await;
    let began = Instant::now();
    let mut mine = batch(3, 1);
    mine.entries[0] = entry(3);
    mine.entries[0].subject = "the other one's".to_owned();
    other.commit(mine).await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "the server takes the head's row back after 2 s"
    );
    proxy.go_on();
    assert!(matches!(late.await.unwrap(), Err(Error::Unknown(_))));
    assert!(matches!(
        stopped.commit(batch(3, 2)).await,
        Err(Error::Conflict)
    ));
    let entries = stopped.entries(3, 10).await.unwrap();
    assert_eq!(
        (entries.len(), entries[0].subject.as_str()),
        (1, "the other one's")
    );
    stopped.close().await;
    other.close().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_ended_are_opened_again() {
    let Some(place) = Place::postgres("connections_that_were_ended_are_opened_again").await else {
        return;
    };
    let store = place.open(OpenMode::ReadWrite).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    for size in 0..5 {
        store.commit(batch(size, 1)).await.unwrap();
        assert_eq!(store.head().await.unwrap().unwrap().size, size + 1);
        place.raw(end).await.unwrap();
    }
    store.close().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_table_is_corrupt_not_empty() {
    let Some(place) = Place::postgres("a_dropped_table_is_corrupt_not_empty").await else {
        return;
    };
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 3)).await.unwrap();
    place.raw("drop table tile").await.unwrap();
    assert!(matches!(
        store.tiles(None, 10).await,
        Err(Error::Corrupt { .. })
    ));
    store.close().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_used_again() {
    let Some(server) = Server::make("a_server_that_was_killed_is_used_again") else {
        return;
    };
    server.start("");
    let store = piperoll_store::open(&server.address("secret"), OpenMode::Create)
        .await
        .unwrap();
    store.commit(batch(0, 3)).await.unwrap();
    let said = unfit(&server.address("wrong"), OpenMode::ReadWrite).await;
    assert!(
        said.contains("check user and password") && !said.contains("wrong"),
        "{said}"
    );

    server.kill();
    assert!(matches!(
        store.commit(batch(3, 1)).await,
        Err(Error::Unavailable(_))
    ));
    assert!(matches!(store.head().await, Err(Error::Unavailable(_))));
    server.start("");
    store.commit(batch(3, 1)).await.unwrap();
    assert_eq!(store.entries(0, 10).await.unwrap().len(), 4);
    store.close().await;

    server.kill();
    server.start("-c fsync=off");
    let said = unfit(&server.address("secret"), OpenMode::ReadWrite).await;
    assert!(said.contains("fsync=off"), "{said}");
    server.kill();
    server.start("-c max_connections=5 -c superuser_reserved_connections=1");
    let first = piperoll_store::open(&server.address("secret"), OpenMode::ReadWrite)
        .await
        .unwrap();
    let holders: Vec<_> = (0..8)
        .map(|_| tokio::spawn(hold(server.address("secret"))))
        .collect();
    for one in holders {
        one.await.unwrap();
    }
    first.commit(batch(4, 1)).await.unwrap();
    first.close().await;
}
/// Opens the ledger and reads, or learns that the server takes no more.
async fn hold(address: Address) {
    match piperoll_store::open(&address, OpenMode::ReadOnly).await {
        Ok(store) => {
            let answers = [
                store.head().await.map(drop),
                store.consumed(0, 9).await.map(drop),
            ];
            for answer in answers {
                assert!(
                    matches!(answer, Ok(()) | Err(Error::Unavailable(_))),
                    "{answer:?}"
                );
            }
            store.close().await;
        }
        Err(Error::Unavailable(_)) => {}
        Err(other) => panic!("{other:?}"),
    }
}
