//! What whoever runs it relies on: health, reflection, gRPC-Web, metrics, an end in order.

use kernel::Role;
use proto::routing::v1 as pb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cast::{customer_writes, message};
use crate::world::{ORG, World, in_every_shape};

/// A page over HTTP/1.1, headers included.
pub(crate) async fn get(address: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    String::from_utf8_lossy(&exchange(address, request.as_bytes()).await).into_owned()
}

async fn exchange(address: &str, request: &[u8]) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    answer
}

in_every_shape! {
    // P9
    async fn probes_and_metrics_answer_and_everything_ends_in_order(world: World) {
        customer_writes(&world, message("airline", "o-1", 0, "hello")).await;
        for address in world.metrics() {
            assert!(get(&address, "/healthz").await.starts_with("HTTP/1.1 200"), "healthz");
            assert!(get(&address, "/readyz").await.starts_with("HTTP/1.1 200"), "readyz");
            let page = get(&address, "/metrics").await;
            assert!(page.contains("# TYPE "), "{page}");
        }
        world.stop().await;
    }
}

testkit::on_both_databases! {
    // P9
    async fn a_browser_calls_by_grpc_web_on_the_same_port(engine) {
        let world = World::one_process(engine).await;
        let request = prost::Message::encode_to_vec(&pb::GetMyAgentRequest {});
        let mut body = vec![0];
        body.extend(u32::try_from(request.len()).unwrap().to_be_bytes());
        body.extend(&request);
        let address = world.address();
        let head = format!(
            "POST /backchannel.routing.v1.AgentService/GetMyAgent HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/grpc-web+proto\r\nauthorization: Bearer {}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            world.token(ORG, "ana", Role::Agent),
            body.len()
        );
        let answer = exchange(&address, &[head.as_bytes(), &body].concat()).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert!(text.contains("application/grpc-web+proto") && text.contains("grpc-status"), "{text}");
        assert!(text.contains("ana"), "the profile is in the answer: {text}");
    }
}
