//! Unary calls as bytes. What tonic generates is compiled once more for the types of every call, on the server and in every
//! crate that calls; here it is compiled once for all of them, and only reading and writing the messages is left for each.

use std::convert::Infallible;
use std::marker::PhantomData;

use prost::{EncodeError, Message};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codec::{Codec, DecodeBuf, Decoder, EnabledCompressionEncodings, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{Body as HttpBody, BoxFuture, Bytes, StdError, http};
use tonic::server::UnaryService;
use tonic::{Request, Response, Status};

use crate::Validate;
use crate::codec::read;

/// A message on its way out.
trait Outgoing: Send + Sync {
    fn write(&self, buffer: &mut EncodeBuf<'_>) -> Result<(), EncodeError>;
}

impl<M: Message> Outgoing for M {
    fn write(&self, buffer: &mut EncodeBuf<'_>) -> Result<(), EncodeError> {
        self.encode(buffer)
    }
}

type Sent = Box<dyn Outgoing>;

/// The codec of messages whose types are known elsewhere.
#[derive(Debug, Clone, Copy, Default)]
struct Bare;

impl Codec for Bare {
    type Encode = Sent;
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

impl Encoder for Bare {
    type Item = Sent;
    type Error = Status;

    fn encode(&mut self, message: Sent, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.write(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Bare {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        use prost::bytes::Buf;
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// What a server was told of its messages.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Compressions of requests it reads.
    pub accept: EnabledCompressionEncodings,
    /// Compressions of answers it writes.
    pub send: EnabledCompressionEncodings,
    /// Bytes of a request, at most; nothing: tonic's limit.
    pub largest_request: Option<usize>,
    /// Bytes of an answer, at most; nothing: tonic's limit.
    pub largest_answer: Option<usize>,
}

type Answer = BoxFuture<Response<Sent>, Status>;

/// A method, from bytes to a message that can be written.
trait Method: Send {
    fn call(&mut self, request: Request<Bytes>) -> Answer;
}

struct Typed<M, I>(M, PhantomData<fn() -> I>);

impl<M, I> Method for Typed<M, I>
where
    M: UnaryService<I> + Send,
    M::Response: Message + 'static,
    M::Future: Send + 'static,
    I: Message + Validate + Default,
{
    fn call(&mut self, request: Request<Bytes>) -> Answer {
        let (metadata, extensions, bytes) = request.into_parts();
        let message = match read::<I>(bytes) {
            Ok(message) => message,
            Err(status) => return Box::pin(std::future::ready(Err(status))),
        };
        let answer = self.0.call(Request::from_parts(metadata, extensions, message));
        Box::pin(async move { Ok(answer.await?.map(|message| Box::new(message) as Sent)) })
    }
}

struct Erased(Box<dyn Method>);

impl UnaryService<Bytes> for Erased {
    type Response = Sent;
    type Future = Answer;

    fn call(&mut self, request: Request<Bytes>) -> Answer {
        self.0.call(request)
    }
}

/// Serves a call by a method.
pub fn serve<M, I, B>(
    method: M,
    request: http::Request<B>,
    limits: Limits,
) -> BoxFuture<http::Response<Body>, Infallible>
where
    M: UnaryService<I> + Send + 'static,
    M::Response: Message + 'static,
    M::Future: Send + 'static,
    I: Message + Validate + Default + 'static,
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send,
{
    Box::pin(serve_bytes(Erased(Box::new(Typed(method, PhantomData))), request, limits))
}

async fn serve_bytes<B>(
    method: Erased,
    request: http::Request<B>,
    limits: Limits,
) -> Result<http::Response<Body>, Infallible>
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send,
{
    let mut grpc = tonic::server::Grpc::new(Bare)
        .apply_compression_config(limits.accept, limits.send)
        .apply_max_message_size_config(limits.largest_request, limits.largest_answer);
    Ok(grpc.unary(method, request).await)
}

/// Calls a method.
///
/// # Errors
/// What the server answers, or what keeps it from answering.
pub async fn call<T, M, A>(
    grpc: &mut tonic::client::Grpc<T>,
    request: Request<M>,
    path: PathAndQuery,
) -> Result<Response<A>, Status>
where
    T: GrpcService<Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
    M: Message + 'static,
    A: Message + Validate + Default,
{
    let request = request.map(|message| Box::new(message) as Sent);
    let (metadata, bytes, extensions) = call_bytes(grpc, request, path).await?.into_parts();
    Ok(Response::from_parts(metadata, read(bytes)?, extensions))
}

async fn call_bytes<T>(
    grpc: &mut tonic::client::Grpc<T>,
    request: Request<Sent>,
    path: PathAndQuery,
) -> Result<Response<Bytes>, Status>
where
    T: GrpcService<Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
{
    let ready = grpc.ready().await;
    ready.map_err(|error| Status::unknown(format!("Service was not ready: {}", error.into())))?;
    grpc.unary(request, path, Bare).await
}
