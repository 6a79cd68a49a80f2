//! The publisher and its guard: what it signs, and when it refuses.

use std::{fs, sync::Arc};

use piperoll_server::{
    folder::Folder,
    guard::{Guard, Signed},
    projector::replay,
    publisher::{Error, Publisher},
    status::{self, Streaming},
};
use piperoll_store as store;
use piperoll_tlog::{Hash, checkpoint::Checkpoint, note::VerifierKey};

use crate::{
    faulty::{Fault, Faulty},
    support::Home,
};

struct Press {
    home: Home,
    store: store::Shared,
    guard: Guard,
}
impl Press {
    async fn new() -> Self {
        let home = Home::new().await;
        let store = home.store().await;
        let guard = Guard::new(&home.path().join("state"), &home.founded.ledger);
        Self { home, store, guard }
    }
    fn publisher(&self) -> Publisher {
        self.publisher_on(Arc::clone(&self.store))
    }
    /// A new process, as it were.
    fn publisher_on(&self, store: store::Shared) -> Publisher {
        let (key, _) = Folder::new(self.home.data())
            .read_key("checkpoint")
            .unwrap();
        let origin = "piperoll.test.example/log/main".to_owned();
        let status = status::Handle::new(Streaming::Embedded);
        Publisher::new(store, status, self.guard.clone(), origin, key, None)
    }
    async fn grow(&self, number: u8) {
        replay(&*self.store, &[self.home.message(number)], 1)
            .await
            .unwrap();
    }
    async fn latest(&self) -> Option<u64> {
        let latest = self.store.latest_checkpoint().await.unwrap();
        latest.map(|latest| latest.size)
    }
}
/// Puts another text in the guard's place.
fn replace(guard: &Guard, signed: Signed) {
    guard.replace(guard.read().unwrap(), signed).unwrap();
}
fn objection(result: Result<(), Error>) -> String {
    match result {
        Err(Error::Objection(objection)) => objection.why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_checkpoint_is_signed_when_the_ledger_has_grown_and_the_guard_follows() {
    let press = Press::new().await;
    let mut publisher = press.publisher();
    publisher.publish().await.unwrap();
    publisher.publish().await.unwrap();
    press.grow(1).await;
    publisher.publish().await.unwrap();
    let all = press.store.checkpoints(0, 10).await.unwrap();
    assert_eq!(all.iter().map(|one| one.size).collect::<Vec<_>>(), [1, 2]);
    let key = VerifierKey::parse(&press.home.founded.vkey).unwrap();
    let signed = Checkpoint::open(&all[1].note, &key).unwrap();
    let held = press.guard.read().unwrap().unwrap();
    assert_eq!((held.size, held.root), (signed.size, signed.root));
}

#[tokio::test]
async fn without_its_guard_nothing_more_is_signed() {
    let press = Press::new().await;
    press.publisher().publish().await.unwrap();
    fs::remove_file(press.guard.path()).unwrap();
    press.grow(1).await;
    let why = objection(press.publisher().publish().await);
    assert!(why.contains("missing"), "{why}");
    assert_eq!(press.latest().await, Some(1));
    assert!(!press.guard.path().exists());
}

#[tokio::test]
async fn a_database_behind_its_guard_is_not_signed_not_even_after_it_has_grown_again() {
    let press = Press::new().await;
    let before = fs::read(press.home.data().join("ledger.db")).unwrap();
    press.grow(1).await;
    press.grow(2).await;
    press.publisher().publish().await.unwrap();
    press.store.close().await;
    // The backup is put back.
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        fs::remove_file(press.home.data().join(name)).ok();
    }
    fs::write(press.home.data().join("ledger.db"), before).unwrap();
    let press = Press {
        store: press.home.store().await,
        ..press
    };
    let why = objection(press.publisher().publish().await);
    assert!(
        why.contains("3 entries were signed, but the database holds 1"),
        "{why}"
    );
    press.grow(7).await;
    press.grow(8).await;
    press.grow(9).await;
    let why = objection(press.publisher().publish().await);
    assert!(why.contains("not those that were signed"), "{why}");
    assert_eq!(press.latest().await, None);
}

#[tokio::test]
async fn a_guard_of_another_root_or_an_older_one_forbids_signing() {
    let press = Press::new().await;
    press.publisher().publish().await.unwrap();
    let old = press.guard.read().unwrap().unwrap();
    press.grow(1).await;
    let mut publisher = press.publisher();
    publisher.publish().await.unwrap();

    replace(&press.guard, old);
    press.grow(2).await;
    let why = objection(publisher.publish().await);
    assert!(why.contains("there is a checkpoint of 2"), "{why}");

    let root = Hash([9; 32]);
    replace(&press.guard, Signed { size: 2, root });
    let why = objection(publisher.publish().await);
    assert!(why.contains("not those that were signed"), "{why}");
}

#[tokio::test]
async fn a_guard_that_cannot_be_read_forbids_signing() {
    let press = Press::new().await;
    press.publisher().publish().await.unwrap();
    press.grow(1).await;
    for text in [
        "",
        "piperoll-guard/v1\n1\n",
        "piperoll-guard/v1\n01\nab\n",
        "\u{0}",
    ] {
        fs::write(press.guard.path(), text).unwrap();
        let error = press.publisher().publish().await.unwrap_err();
        assert!(matches!(error, Error::Objection(_)), "{text:?}: {error:?}");
    }
    assert_eq!(press.latest().await, Some(1));
}

#[tokio::test]
async fn a_crash_between_guard_and_checkpoint_is_made_good() {
    let press = Press::new().await;
    for fault in [Fault::Lost, Fault::Kept] {
        let size = press.store.head().await.unwrap().unwrap().size;
        let faulty = Faulty::new(Arc::clone(&press.store), press.home.path())
            .await
            .shared();
        faulty.fail("put_checkpoint", 0, fault, 1);
        let error = press.publisher_on(faulty).publish().await.unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error:?}");
        assert_eq!(press.guard.read().unwrap().unwrap().size, size);
        press.publisher().publish().await.unwrap();
        assert_eq!(press.latest().await, Some(size));
        press.grow(u8::try_from(size).unwrap()).await;
    }
}
