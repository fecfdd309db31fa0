//! State: a table per partition that is committed with the work.

use wasmill::streams::{StateChange, Work, Worker};

use super::subject::{Subject, poll_until};

fn set(partition: u32, key: &str, value: &str) -> StateChange {
    StateChange { partition, key: key.into(), value: Some(value.into()) }
}

fn remove(partition: u32, key: &str) -> StateChange {
    StateChange { partition, key: key.into(), value: None }
}

async fn commit(worker: &mut dyn Worker, state: Vec<StateChange>) {
    worker.commit(Work { state, ..Work::default() }).await.unwrap();
}

fn scan(worker: &dyn Worker, partition: u32, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let found = worker.state().scan(partition, prefix.as_bytes(), after.map(str::as_bytes), limit).unwrap();
    found.into_iter().map(|(k, v)| String::from_utf8([k, b"=".to_vec(), v].concat()).unwrap()).collect()
}

async fn join(s: &Subject, topic: &str, partitions: usize) -> Box<dyn Worker> {
    let mut worker = s.join("group", &[topic]).await;
    poll_until(worker.as_mut(), |all| all.gained.len() == partitions).await;
    worker
}

pub async fn state_is_read_back_and_scanned_in_order(s: Subject) {
    let topic = s.topic("in", 1).await;
    let mut worker = join(&s, &topic, 1).await;
    assert_eq!(worker.state().get(0, b"a").unwrap(), None);
    let changes = vec![set(0, "b/2", "2"), set(0, "a", "0"), set(0, "b/1", "x"), set(0, "c", "9"), set(0, "b/1", "1")];
    commit(worker.as_mut(), changes).await;
    commit(worker.as_mut(), vec![set(0, "b/3", ""), remove(0, "c"), remove(0, "never there")]).await;
    assert_eq!(worker.state().get(0, b"b/1").unwrap(), Some(b"1".to_vec()));
    assert_eq!(worker.state().get(0, b"b/3").unwrap(), Some(Vec::new()), "an empty value is a value");
    assert_eq!(worker.state().get(0, b"c").unwrap(), None);
    let worker = worker.as_ref();
    assert_eq!(scan(worker, 0, "", None, 10), ["a=0", "b/1=1", "b/2=2", "b/3="]);
    assert_eq!(scan(worker, 0, "b/", None, 2), ["b/1=1", "b/2=2"]);
    assert_eq!(scan(worker, 0, "b/", Some("b/1"), 10), ["b/2=2", "b/3="]);
    assert_eq!(scan(worker, 0, "b/", Some("a"), 1), ["b/1=1"]);
    assert_eq!(scan(worker, 0, "b/", Some("c"), 10), [""; 0]);
    assert_eq!(scan(worker, 0, "", None, 0), [""; 0]);
}

pub async fn state_belongs_to_its_partition(s: Subject) {
    let topic = s.topic("in", 2).await;
    let mut worker = join(&s, &topic, 2).await;
    commit(worker.as_mut(), vec![set(0, "k", "zero"), set(1, "k", "one"), set(1, "l", "one")]).await;
    assert_eq!(scan(worker.as_ref(), 0, "", None, 10), ["k=zero"]);
    assert_eq!(scan(worker.as_ref(), 1, "", None, 10), ["k=one", "l=one"]);
}

pub async fn state_survives_a_restart(s: Subject) {
    let topic = s.topic("in", 1).await;
    let mut worker = join(&s, &topic, 1).await;
    commit(worker.as_mut(), vec![set(0, "stays", "1"), set(0, "goes", "1")]).await;
    commit(worker.as_mut(), vec![remove(0, "goes")]).await;
    drop(worker);
    let s = s.reopened().await;
    let worker = join(&s, &topic, 1).await;
    assert_eq!(scan(worker.as_ref(), 0, "", None, 10), ["stays=1"]);
}

pub async fn state_follows_its_partition_to_another_member(s: Subject) {
    let topic = s.topic("in", 2).await;
    let mut first = join(&s, &topic, 2).await;
    commit(first.as_mut(), vec![set(0, "k", "zero"), set(1, "k", "one")]).await;
    drop(first);
    let second = join(&s, &topic, 2).await;
    assert_eq!(scan(second.as_ref(), 0, "", None, 10), ["k=zero"]);
    assert_eq!(scan(second.as_ref(), 1, "", None, 10), ["k=one"]);
}
