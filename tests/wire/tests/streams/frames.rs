//! Frames of a WebSocket, as bytes: however they arrive, and of any length.
use super::sockets::{start_both, upgraded};
use auth0_axum::testing::Tenant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Returns the beginning of a frame: its first byte, its length, and a mask of zeros.
fn head(first: u8, length: usize) -> Vec<u8> {
    let mut head = vec![first];
    match length {
        0..126 => head.push(0x80 | u8::try_from(length).unwrap()),
        126..65_536 => {
            head.push(0x80 | 126);
            head.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            head.push(0x80 | 127);
            head.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    head.extend([0; 4]);
    head
}

fn text(text: &str) -> Vec<u8> {
    [head(0x81, text.len()), text.as_bytes().to_vec()].concat()
}

/// Reads a frame, and returns its first byte and its payload.
async fn read_frame(stream: &mut (impl AsyncReadExt + Unpin)) -> (u8, Vec<u8>) {
    let first = stream.read_u8().await.unwrap();
    let length = match stream.read_u8().await.unwrap() {
        126 => u64::from(stream.read_u16().await.unwrap()),
        127 => stream.read_u64().await.unwrap(),
        short => u64::from(short),
    };
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await.unwrap();
    (first, payload)
}

/// A server that waits for the rest of a frame keeps what has come of it.
#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_by_its_length() {
    let graphql = "sec-websocket-protocol: graphql-transport-ws";
    for (name, server) in start_both(Tenant::new().auth0()).await {
        for (length, sent) in [(262_145, 0), (1 << 20, 100_000), (1 << 62, 10), (1 << 62, 300_000)]
        {
            for kind in [0x81, 0x82, 0x01] {
                let mut client = upgraded(server, "/graphql", graphql).await;
                client.write_all(&head(kind, length)).await.unwrap();
                // The server may have closed already.
                let _ = client.write_all(&vec![b'a'; sent]).await;
                let (first, payload) = read_frame(&mut client).await;
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                // Not 4408, for which it would have waited.
                assert_eq!(first, 0x88, "{name}: {length}");
                assert!([1002, 1009, 4400].contains(&code), "{name}: {length}: {code}");
            }
        }
    }
}

#[tokio::test]
async fn messages_arrive_in_any_pieces() {
    let tenant = Tenant::new();
    let authorization = format!("authorization: Bearer {}", tenant.token().mint());
    let lengths = [1, 5, 125, 126, 127, 128, 1000, 40_000, 65_535, 2];
    let messages: Vec<String> = lengths.iter().map(|length| "m".repeat(*length)).collect();
    let mut bytes: Vec<u8> = messages.iter().flat_map(|message| text(message)).collect();
    // One in three frames, with a ping between them; and empty ones.
    bytes.extend([head(0x01, 1), b"a".to_vec(), head(0x89, 0), head(0x00, 0)].concat());
    bytes.extend([head(0x80, 1), b"b".to_vec(), head(0x8a, 0)].concat());
    let last = "z".repeat(300);
    bytes.extend(text(&last));
    for (name, server) in start_both(tenant.auth0()).await {
        for piece in [1, 7, 13, 1000, 32_768, bytes.len()] {
            let client = upgraded(server, "/echo", &authorization).await;
            client.set_nodelay(true).unwrap();
            let (mut reading, mut writing) = client.into_split();
            let pieces: Vec<Vec<u8>> = bytes.chunks(piece).map(<[u8]>::to_vec).collect();
            tokio::spawn(async move {
                for piece in pieces {
                    writing.write_all(&piece).await.unwrap();
                }
                std::future::pending::<()>().await;
            });
            let expected = messages.iter().map(String::as_str).chain(["ab", &last]);
            for message in expected {
                let seen = loop {
                    match read_frame(&mut reading).await {
                        (0x8a, _) => {}
                        (_, payload) => break payload,
                    }
                };
                assert_eq!(seen.len(), message.len(), "{name}: pieces of {piece}");
                assert_eq!(seen, message.as_bytes(), "{name}: pieces of {piece}");
            }
        }
    }
}
