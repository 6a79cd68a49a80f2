//! What can be wrong with a file.

use std::path::Path;

use piperoll_store::{Error, OpenMode, sqlite};

use crate::{make, place::Place};

/// What opening says, for each mode.
async fn refusals(path: &Path) -> Vec<String> {
    let mut said = Vec::new();
    for mode in [OpenMode::ReadOnly, OpenMode::ReadWrite, OpenMode::Create] {
        said.push(match sqlite::open(path, mode).await.map(drop) {
            Err(Error::Unfit { what, remedy }) => format!("{what}; {remedy}"),
            other => format!("{mode:?}: {other:?}"),
        });
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_made_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let said = refusals(&path).await;
    assert!(
        said[0].contains("does not exist") && said[0].contains("piperoll init"),
        "{said:?}"
    );
    assert_eq!(said[0], said[1]);
    assert!(said[2].contains("Ok"), "{said:?}");
    let elsewhere = refusals(&folder.path().join("no").join("ledger.db")).await;
    assert!(elsewhere[2].contains("cannot be made"), "{elsewhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_no_ledger_yet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    std::fs::write(&path, "").unwrap();
    let said = refusals(&path).await;
    assert!(
        said[0].contains("holds nothing yet") && said[0].contains("piperoll init"),
        "{said:?}"
    );
    assert!(said[1].contains("holds nothing yet"), "{said:?}");
    assert!(said[2].contains("Ok"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_others_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "this is no database, and long enough to have a header of a hundred bytes. ".repeat(20),
    )
    .unwrap();
    let others = Place::sqlite().await;
    for table in ["piperoll", "_sqlx_migrations", "head"] {
        others.raw(&format!("drop table {table}")).await.unwrap();
    }
    for path in [text, others.file()] {
        let before = std::fs::read(&path).unwrap();
        for said in refusals(&path).await {
            assert!(said.contains("not Piperoll's"), "{said}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_and_altered_files_are_told_apart() {
    let newer = Place::sqlite().await;
    let add = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
               values (99, 'later', true, x'00', 0)";
    newer.raw(add).await.unwrap();
    for said in refusals(&newer.file()).await {
        assert!(said.contains("newer version"), "{said}");
    }
    let altered = Place::sqlite().await;
    altered
        .raw("update _sqlx_migrations set checksum = x'00'")
        .await
        .unwrap();
    for said in refusals(&altered.file()).await {
        assert!(said.contains("differ from this version's"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_beside_the_writer_sees_each_commit() {
    let place = Place::sqlite().await;
    let writer = place.open(OpenMode::ReadWrite).await;
    let reader = place.open(OpenMode::ReadOnly).await;
    for size in 0..5 {
        writer.commit(make::batch(size, 1)).await.unwrap();
        assert_eq!(reader.head().await.unwrap().unwrap().size, size + 1);
    }
    writer.close().await;
    assert_eq!(reader.entries(0, 10).await.unwrap().len(), 5);
}

/// How many entries somebody reads who may read the folder and write nothing. Root may write everything, so as root this
/// program runs itself again as another user.
fn read_as_guest(folder: &Path) -> Result<String, String> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let set = |mode: u32| {
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode & 0o666)).unwrap();
        }
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let program = std::env::current_exe().unwrap();
    let mut command = if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        let mut command = std::process::Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(program);
        command
    } else {
        std::process::Command::new(program)
    };
    set(0o555);
    let output = command
        .args(["--exact", "only_sqlite::guest", "--nocapture"])
        .env("PIPEROLL_TEST_GUEST_READS", folder.join("ledger.db"))
        .output()
        .unwrap();
    set(0o755);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = said
        .lines()
        .find_map(|line| line.split_once("guest: ").map(|(_, said)| said.to_owned()));
    found.ok_or_else(|| format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}
/// The guest's side of it; nothing by itself.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the other side reads it")]
async fn guest() {
    let Some(path) = std::env::var_os("PIPEROLL_TEST_GUEST_READS") else {
        return;
    };
    match sqlite::open(Path::new(&path), OpenMode::ReadWrite)
        .await
        .map(drop)
    {
        Ok(()) => println!("guest: it may write"),
        Err(Error::Unfit { .. }) => {}
        Err(error) => println!("guest: writing: {error}"),
    }
    match sqlite::open(Path::new(&path), OpenMode::ReadOnly).await {
        Ok(store) => println!(
            "guest: {:?} entries",
            store.entries(0, 100).await.map(|entries| entries.len())
        ),
        Err(error) => println!("guest: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_not_be_written_can_be_read() {
    let place = Place::sqlite().await;
    let folder = place.file().parent().unwrap().to_owned();
    let writer = place.open(OpenMode::ReadWrite).await;
    writer.commit(make::batch(0, 5)).await.unwrap();
    assert_eq!(
        read_as_guest(&folder),
        Ok("Ok(5) entries".to_owned()),
        "beside a running server"
    );
    let left = std::fs::read(folder.join("ledger.db-wal")).unwrap();
    writer.close().await;
    assert!(
        !folder.join("ledger.db-wal").exists(),
        "a server that ends well leaves one file"
    );
    assert_eq!(
        read_as_guest(&folder),
        Ok("Ok(5) entries".to_owned()),
        "when no server runs"
    );
    std::fs::write(folder.join("ledger.db-wal"), left).unwrap();
    let said = read_as_guest(&folder).unwrap();
    assert!(
        said.contains("did not end well") && said.contains("start and stop the server"),
        "{said}"
    );
}
