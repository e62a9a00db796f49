//! Compiles the contracts without `protoc` and writes, beside the messages and services, what the contracts say about
//! themselves: who may call what ([`access`]) and which values are allowed ([`validation`]).

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use prost_reflect::DescriptorPool;

#[path = "build/access.rs"]
mod access;
#[path = "build/unary.rs"]
mod unary;
#[path = "build/validation.rs"]
mod validation;

/// What no contract imports and callers need all the same: the details of a refusal, for tools that learn the contracts by
/// reflection.
const OF_REFUSALS: [&str; 2] =
    ["third_party/google/rpc/error_details.proto", "third_party/google/rpc/status.proto"];

/// The options of a contract that concern us, resolved once.
struct Contracts {
    pool: DescriptorPool,
}

impl Contracts {
    fn messages(&self) -> impl Iterator<Item = prost_reflect::MessageDescriptor> + '_ {
        self.pool.all_messages().filter(|m| m.full_name().starts_with("backchannel.") && !m.is_map_entry())
    }

    fn services(&self) -> impl Iterator<Item = prost_reflect::ServiceDescriptor> + '_ {
        self.pool.services().filter(|s| s.full_name().starts_with("backchannel."))
    }

    fn extension(&self, name: &str) -> prost_reflect::ExtensionDescriptor {
        self.pool.get_extension_by_name(name).unwrap_or_else(|| panic!("no contract imports {name}"))
    }
}

fn main() -> io::Result<()> {
    let files = contract_files(Path::new("backchannel"))?;
    println!("cargo:rerun-if-changed=backchannel");
    println!("cargo:rerun-if-changed=third_party");
    println!("cargo:rerun-if-changed=build");

    // In this order, as `.` would take a path below `third_party` for one of its own.
    let mut compiler = protox::Compiler::new(["third_party", "."]).map_err(io::Error::other)?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files).unwrap_or_else(|error| panic!("{error:?}"));
    compiler.open_files(OF_REFUSALS).unwrap_or_else(|error| panic!("{error:?}"));
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);

    let contracts = Contracts { pool: compiler.descriptor_pool() };
    fs::write(out.join("methods.rs"), access::methods(&contracts))?;
    fs::write(out.join("validation.rs"), validation::checks(&contracts))?;

    let mut ours = compiler.file_descriptor_set();
    // Well-known types are mapped to prost-types, but the generator wants to have seen them. The body of a plain HTTP request is the
    // one message of others that a request of ours holds.
    ours.file.retain(|file| {
        file.package().starts_with("backchannel.")
            || file.package() == "google.protobuf"
            || file.name() == "google/api/httpbody.proto"
    });
    tonic_prost_build::configure()
        .codec_path("crate::codec::Contract")
        .btree_map(".")
        .build_transport(false)
        .include_file("contracts.rs")
        .compile_fds(ours)?;
    unary::rewrite(&contracts, &out)?;

    compiler.include_source_info(false);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())
}

/// Every contract below `folder`, as paths from this crate's folder, in a stable order.
fn contract_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(contract_files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
