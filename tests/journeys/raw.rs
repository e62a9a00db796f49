//! Calls any RPC by its descriptor: requests are filled in by the names of their fields, answers are bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status, Streaming};

use crate::world::World;

/// How long a stream is listened to. What it has to say at once comes at once.
const LISTEN: Duration = Duration::from_millis(400);

const DURATION: &str = "google.protobuf.Duration";

/// What a call answered: all that came over the wire.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    /// The messages, as they were encoded.
    pub(crate) messages: Vec<Bytes>,
    /// How it ended, where it was refused.
    pub(crate) status: Option<Status>,
}

impl Answer {
    /// Whether a text is anywhere in it: messages, status, details.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let within = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let status = self.status.as_ref();
        self.messages.iter().any(|message| within(message))
            || status.is_some_and(|status| within(status.message().as_bytes()) || within(status.details()))
    }

    /// The code of the refusal.
    pub(crate) fn code(&self) -> Option<tonic::Code> {
        self.status.as_ref().map(Status::code)
    }
}

/// Values for fields, by their names.
pub(crate) type Values = BTreeMap<&'static str, String>;

/// All contracts.
pub(crate) fn pool() -> DescriptorPool {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).expect("the descriptors decode"));
    POOL.clone()
}

/// Calls an RPC with a request filled in from `values`, as the bearer of `token`.
pub(crate) async fn call(world: &World, token: &str, method: &proto::Method, values: &Values) -> Answer {
    send(world, token, method, request(method, values)).await
}

/// Calls an RPC with these bytes, whether they are a request or not.
pub(crate) async fn send(world: &World, token: &str, method: &proto::Method, request: Vec<u8>) -> Answer {
    listen(world, token, method, request, LISTEN).await
}

/// The same, and listens to a stream until it says nothing for so long.
pub(crate) async fn listen(
    world: &World,
    token: &str,
    method: &proto::Method,
    request: Vec<u8>,
    patience: Duration,
) -> Answer {
    match open(world, token, method, request).await {
        Ok(stream) => drain(stream, method, patience).await,
        Err(status) => Answer { status: Some(status), ..Answer::default() },
    }
}

/// Calls an RPC, whose messages are still to come.
pub(crate) async fn open(
    world: &World,
    token: &str,
    method: &proto::Method,
    request: Vec<u8>,
) -> Result<Streaming<Bytes>, Status> {
    let channel = world.wire.channel_for(method.path).expect("a service with an address");
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("the service answers");
    let mut request = Request::new(Bytes::from(request));
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let path = PathAndQuery::from_static(method.path);
    Ok(client.server_streaming(request, path, Raw).await?.into_inner())
}

/// What comes until the end, or until a stream says nothing for so long.
pub(crate) async fn drain(
    mut stream: Streaming<Bytes>,
    method: &proto::Method,
    patience: Duration,
) -> Answer {
    let mut answer = Answer::default();
    loop {
        match tokio::time::timeout(patience, stream.message()).await {
            // An open stream with nothing more to say.
            Err(_) if method.server_streaming => return answer,
            Err(_) => continue,
            Ok(Ok(Some(message))) => answer.messages.push(message),
            Ok(Ok(None)) => return answer,
            Ok(Err(status)) => return Answer { status: Some(status), ..answer },
        }
    }
}

/// The bytes of the request that [`call`] makes.
pub(crate) fn request(method: &proto::Method, values: &Values) -> Vec<u8> {
    request_choosing(method, values, 0)
}

/// The same, where each choice of the request's own falls on the field at this place.
pub(crate) fn request_choosing(method: &proto::Method, values: &Values, place: usize) -> Vec<u8> {
    filled(&input(method), values, 0, place).encode_to_vec()
}

/// How many fields there are to choose from at one place of a request.
pub(crate) fn choices(method: &proto::Method) -> usize {
    let input = input(method);
    let choices = input.oneofs().filter(|oneof| !oneof.is_synthetic());
    choices.map(|oneof| oneof.fields().len()).max().unwrap_or(1)
}

/// The message that an RPC takes.
fn input(method: &proto::Method) -> MessageDescriptor {
    let pool = pool();
    let service = pool.get_service_by_name(method.service).expect("a service");
    service.methods().find(|rpc| rpc.name() == method.name).expect("an RPC").input()
}

/// The requests of an RPC in which one text holds the character U+0000, each with the name of that field.
pub(crate) fn requests_with_nul(method: &proto::Method) -> Vec<(String, Vec<u8>)> {
    let input = input(method);
    let whole = filled(&input, &Values::new(), 0, 0);
    let texts = input.fields().filter(|field| field.kind() == Kind::String && !field.is_map());
    let with = |field: FieldDescriptor| {
        let text = Value::String("a\u{0}b".to_owned());
        let mut request = whole.clone();
        request.set_field(&field, if field.is_list() { Value::List(vec![text]) } else { text });
        (field.name().to_owned(), request.encode_to_vec())
    };
    texts.map(with).collect()
}

/// The fields of an RPC's requests that hold ids, at whatever depth.
pub(crate) fn ids(method: &proto::Method) -> BTreeSet<String> {
    let rules = pool().get_extension_by_name("buf.validate.field").expect("rules of fields");
    let (mut open, mut seen, mut found) = (vec![input(method)], Vec::new(), BTreeSet::new());
    while let Some(message) = open.pop() {
        if seen.contains(&message) {
            continue;
        }
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                open.push(inner);
            }
            if field.options().get_extension(&rules).as_message().is_some_and(is_id) {
                found.insert(field.name().to_owned());
            }
        }
        seen.push(message);
    }
    found
}

/// Whether these rules ask for a UUID, or for several.
fn is_id(rules: &DynamicMessage) -> bool {
    let inner = |rules: &DynamicMessage, name: &str| {
        let has = rules.has_field_by_name(name);
        rules.get_field_by_name(name).filter(|_| has).and_then(|value| value.as_message().cloned())
    };
    let items = inner(rules, "repeated").and_then(|repeated| inner(&repeated, "items"));
    inner(rules, "string").is_some_and(|text| text.has_field_by_name("uuid"))
        || items.is_some_and(|items| is_id(&items))
}

/// A request whose fields have the values named for them, and otherwise something that passes validation.
fn filled(message: &MessageDescriptor, values: &Values, depth: usize, choice: usize) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    if message.full_name() == "google.protobuf.Timestamp" {
        // A day ahead, for what must lie in the future; the same in every request.
        static AHEAD: LazyLock<i64> = LazyLock::new(|| {
            kernel::Clock::system().now().plus(Duration::from_secs(86_400)).as_micros() / 1_000_000
        });
        filled.set_field_by_name("seconds", Value::I64(*AHEAD));
        return filled;
    }
    if !message.full_name().starts_with("backchannel.") || depth > 4 {
        return filled;
    }
    for field in message.fields() {
        let other_choice = field.containing_oneof().is_some_and(|oneof| {
            let place = choice % oneof.fields().len();
            !oneof.is_synthetic() && oneof.fields().nth(place).is_some_and(|chosen| chosen != field)
        });
        if other_choice {
            continue;
        }
        if let Some(value) = value_for(&field, values, depth) {
            filled.set_field(&field, value);
        }
    }
    filled
}

fn value_for(field: &FieldDescriptor, values: &Values, depth: usize) -> Option<Value> {
    let singular = field.name().trim_end_matches('s');
    let named = values.get(field.name()).or_else(|| values.get(singular)).cloned();
    let one = match field.kind() {
        Kind::String => match (named, field.name()) {
            (Some(value), _) => Value::String(value),
            (None, "page_token" | "resume_token" | "request_id" | "external_id") => return None,
            (None, name) if name.ends_with("_id") || name.ends_with("_ids") => return None,
            (None, "emails" | "email" | "phones" | "avatar_url" | "time_zone" | "language" | "languages") => {
                return None;
            }
            (None, "start_date" | "end_date") => return None,
            (None, _) => Value::String("probe".into()),
        },
        Kind::Int32 => Value::I32(if field.name() == "level" { 1 } else { 0 }),
        Kind::Int64 => Value::I64(0),
        Kind::Bool => Value::Bool(false),
        Kind::Enum(kind) => match field.name() {
            "role" => return None,
            _ if named.is_some() => {
                Value::EnumNumber(named.and_then(|number| number.parse().ok()).unwrap_or(0))
            }
            _ => Value::EnumNumber(kind.values().nth(1).map_or(0, |value| value.number())),
        },
        Kind::Message(inner) if inner.full_name() == "google.protobuf.FieldMask" => return None,
        // One target is enough for a policy.
        Kind::Message(inner) if field.name() == "first_response" && inner.full_name() == DURATION => {
            let mut minute = DynamicMessage::new(inner);
            minute.set_field_by_name("seconds", Value::I64(60));
            Value::Message(minute)
        }
        // A wait that would have to be of some length.
        Kind::Message(inner) if inner.full_name() == DURATION || inner.name() == "ReplyLimit" => return None,
        // Instead of a body, which the probe gives.
        Kind::Message(inner) if inner.name() == "NoteTemplateFilling" => return None,
        Kind::Message(inner) => Value::Message(filled(&inner, values, depth + 1, 0)),
        _ => return None,
    };
    if field.is_map() {
        return Some(Value::Map(std::iter::once((MapKey::String("probe".into()), one)).collect()));
    }
    let unlisted =
        matches!(field.name(), "working_hours" | "skills" | "required_skills" | "intervals" | "holidays");
    match (field.is_list(), unlisted) {
        (true, true) => None,
        (true, false) => Some(Value::List(vec![one])),
        (false, _) => Some(one),
    }
}

/// Bytes as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}
