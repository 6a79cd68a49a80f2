//! Who may project.

use piperoll_store::{Error, OpenMode};

use crate::{
    make::{batch, expected, head},
    place::Place,
};

const HOUR_MS: u32 = 3_600_000;

pub(crate) async fn one_holder_at_a_time_has_the_lease(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    assert_eq!(store.lease().await.unwrap(), None);
    let taken = store.take_lease("a", "http://a", HOUR_MS).await.unwrap();
    assert_eq!(
        (taken.holder.as_str(), taken.address.as_str(), taken.live),
        ("a", "http://a", true)
    );
    let other = store.take_lease("b", "http://b", HOUR_MS).await.unwrap();
    assert_eq!(other, taken, "it names the one who has it");
    assert_eq!(store.lease().await.unwrap(), Some(taken.clone()));
    assert!(!store.renew_lease("b", taken.epoch, HOUR_MS).await.unwrap());
    assert!(
        !store
            .renew_lease("a", taken.epoch + 1, HOUR_MS)
            .await
            .unwrap()
    );
    assert!(
        store
            .renew_lease("a", taken.epoch, 2 * HOUR_MS)
            .await
            .unwrap()
    );
    let renewed = store.lease().await.unwrap().unwrap();
    assert!(renewed.until > taken.until);
    store.release_lease("b", taken.epoch).await.unwrap();
    assert!(
        store.lease().await.unwrap().unwrap().live,
        "only its holder gives it back"
    );
    store.release_lease("a", taken.epoch).await.unwrap();
    assert!(!store.lease().await.unwrap().unwrap().live);
    assert!(
        !store.renew_lease("a", taken.epoch, HOUR_MS).await.unwrap(),
        "what was given back is lost"
    );
    assert_eq!(
        store
            .take_lease("b", "http://b", HOUR_MS)
            .await
            .unwrap()
            .holder,
        "b"
    );
}

pub(crate) async fn a_new_holder_fences_the_old_one_off(place: &Place) {
    let old = place.open(OpenMode::ReadWrite).await;
    old.commit(batch(0, 3)).await.unwrap();
    let mine = old.take_lease("old", "http://old", 0).await.unwrap();
    assert_eq!(mine.epoch, 2);
    let mut at_epoch = batch(3, 1);
    (at_epoch.expected, at_epoch.head.epoch) = (Some(expected(3, 2)), 2);
    old.commit(at_epoch).await.unwrap();

    let new = place.open(OpenMode::ReadWrite).await;
    let taken = new.take_lease("new", "http://new", HOUR_MS).await.unwrap();
    assert_eq!(
        (taken.holder.as_str(), taken.epoch),
        ("new", 3),
        "a lease that ran out is free"
    );
    let mut late = batch(4, 1);
    (late.expected, late.head.epoch) = (Some(expected(4, 2)), 2);
    assert!(matches!(old.commit(late).await, Err(Error::Conflict)));
    assert!(!old.renew_lease("old", 2, HOUR_MS).await.unwrap());
    assert_eq!(new.head().await.unwrap(), Some(head(4, 3)));
}

pub(crate) async fn the_first_lease_comes_before_the_first_entry(place: &Place) {
    let stores = [
        place.open(OpenMode::ReadWrite).await,
        place.open(OpenMode::ReadWrite).await,
    ];
    let tries: Vec<_> = (0..6)
        .map(|number: usize| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move {
                store
                    .take_lease(&format!("h{number}"), "http://h", HOUR_MS)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut holders = std::collections::BTreeSet::new();
    for one in tries {
        let lease = one.await.unwrap();
        holders.insert((lease.holder, lease.epoch));
    }
    assert_eq!(holders.len(), 1, "{holders:?}");
    let epoch = holders.first().unwrap().1;
    let mut first = batch(0, 1);
    first.head.epoch = epoch;
    stores[0].commit(first).await.unwrap();
}
