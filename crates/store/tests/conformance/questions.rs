//! What questions answer.

use piperoll_core::judge::Known;
use piperoll_store::OpenMode;

use crate::{
    make::{batch, entry, hash_of},
    place::Place,
};

pub(crate) async fn find_answers_in_the_order_asked(place: Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 20)).await.unwrap();
    let id = |index| (entry(index).source, entry(index).event_id);
    let known = |index: u64| {
        Some(Known {
            index,
            payload_hash: hash_of(&format!("payload {index}")),
        })
    };
    let strange = (
        "urn:piperoll:pipeline:\"'\\ü".to_owned(),
        "event-1".to_owned(),
    );
    let asked = [id(7), strange, id(2), id(7), (id(1).0, id(2).1)];
    assert_eq!(
        store.find(&asked).await.unwrap(),
        [known(7), None, known(2), known(7), None]
    );
    assert_eq!(store.find(&[]).await.unwrap(), []);
}
