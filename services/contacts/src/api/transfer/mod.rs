//! `backchannel.contacts.v1.ContactImportService` and `ContactExportService`: streams of files.

mod export;
mod import;

use std::sync::Arc;

use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_export_service_server::ContactExportService;
use proto::contacts::v1::contact_import_service_server::ContactImportService;
use rpc::stream::{Ends, Live};
use tonic::{Request, Response, Status, Streaming};

use super::Api;
use crate::wire::transfer as wire;

#[tonic::async_trait]
impl ContactImportService for Api {
    type ImportContactsStream = Live<pb::ImportContactsResponse>;

    async fn import_contacts(
        &self,
        request: Request<Streaming<pb::ImportContactsRequest>>,
    ) -> Result<Response<Self::ImportContactsStream>, Status> {
        let call = rpc::call(&request)?;
        let ends = Ends::of(&call, self.streams_end.clone());
        let answers = import::answers(Arc::clone(&self.app), call, ends, request.into_inner());
        Ok(Response::new(Box::pin(answers)))
    }
}

#[tonic::async_trait]
impl ContactExportService for Api {
    type ExportContactsStream = Live<pb::ExportContactsResponse>;

    async fn export_contacts(
        &self,
        request: Request<pb::ExportContactsRequest>,
    ) -> Result<Response<Self::ExportContactsStream>, Status> {
        let call = rpc::call(&request)?;
        let ends = Ends::of(&call, self.streams_end.clone());
        let start = wire::export(request.into_inner())?;
        let export = export::Export::begin(Arc::clone(&self.app), &call, start).await?;
        Ok(Response::new(Box::pin(export.frames(ends))))
    }
}
