//! The codec of streams, and how any message is read: protobuf by prost, and each decoded message is held against the rules of
//! its contract before anybody sees it.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic::codegen::Bytes;
use tonic_prost::ProstCodec;

use crate::{Validate, refusal};

/// Encodes `T`, decodes and validates `U`.
#[derive(Debug)]
pub struct Contract<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Contract<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for Contract<T, U>
where
    T: Message + Send + 'static,
    U: Message + Validate + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = Validating<<ProstCodec<T, U> as Codec>::Decoder>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        Validating(ProstCodec::<T, U>::raw_decoder(BufferSettings::default()))
    }
}

/// Reads a message, and holds it against its rules.
pub(crate) fn read<M: Message + Validate + Default>(bytes: Bytes) -> Result<M, Status> {
    let decoded = M::decode(bytes);
    valid(decoded.map_err(|error| {
        if M::REQUEST { refusal::undecodable() } else { Status::internal(error.to_string()) }
    })?)
}

fn valid<M: Validate>(message: M) -> Result<M, Status> {
    let violations = message.violations();
    if violations.is_empty() { Ok(message) } else { Err(refusal::invalid(&violations)) }
}

/// A decoder that lets only valid messages through. Answers carry no rules, so for them it costs nothing.
#[derive(Debug)]
pub struct Validating<D>(D);

impl<D> Decoder for Validating<D>
where
    D: Decoder<Error = Status>,
    D::Item: Validate,
{
    type Item = D::Item;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let decoded = self.0.decode(buffer);
        let decoded =
            decoded.map_err(|status| if D::Item::REQUEST { refusal::undecodable() } else { status });
        decoded?.map(valid).transpose()
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}
