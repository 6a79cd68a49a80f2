//! A wire between store and PostgreSQL that breaks at the commit, in each of the ways that it can.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::Notify,
};

/// What happens to the next commit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    /// It never arrives.
    Lost,
    /// It arrives, and the answer is lost.
    Kept,
    /// It arrives when [`Proxy::go_on`] is called.
    Late,
}
const FATES: [Fate; 4] = [Fate::Pass, Fate::Lost, Fate::Kept, Fate::Late];

pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}
#[derive(Default)]
struct State {
    fate: AtomicU8,
    held: Notify,
    go_on: Notify,
}
impl Proxy {
    /// Listens on a free port and passes everything on to the server's socket.
    pub(crate) async fn before(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(wire(client, server, shared.clone()));
            }
        });
        Self { port, state }
    }
    pub(crate) fn next_commit(&self, fate: Fate) {
        let number = FATES.iter().position(|one| *one == fate).unwrap();
        self.state
            .fate
            .store(u8::try_from(number).unwrap(), Ordering::SeqCst);
    }
    /// Until a commit is held back.
    pub(crate) async fn held(&self) {
        self.state.held.notified().await;
    }
    pub(crate) fn go_on(&self) {
        self.state.go_on.notify_one();
    }
}

/// One connection, until either side ends or the commit's fate ends it.
async fn wire(mut client: TcpStream, mut server: UnixStream, state: Arc<State>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut answer_is_lost = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                if asked[..count].windows(6).any(|bytes| bytes == b"COMMIT") {
                    match FATES[usize::from(state.fate.swap(0, Ordering::SeqCst))] {
                        Fate::Pass => {}
                        Fate::Lost => return,
                        Fate::Kept => answer_is_lost = true,
                        Fate::Late => {
                            state.held.notify_one();
                            state.go_on.notified().await;
                        }
                    }
                }
                if server.write_all(&asked[..count]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if answer_is_lost || client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
