"""The other shapes of the edge's configuration: Envoy takes them, and what only they have works."""

from __future__ import annotations

import ssl
import subprocess

import grpc
from backchannel.routing.v1 import agent_pb2, agent_pb2_grpc

from cast import Broken, equal, eventually
from languages import request
from stage import ROOT, Stage, configuration, envoy, free_port


class Shapes:
    """In front of a suite of its own, which speaks TLS only, and only to who has a certificate of the same authority."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.certificates = self._issued("certificates")
        own = self.certificates / "notes"
        self.suite = stage.another_suite(
            "encrypted", TLS__CERTIFICATE=own / "tls.crt", TLS__KEY=own / "tls.key", TLS__AUTHORITY=own / "ca.crt", TLS__MUTUAL="true")
        self.inside = self._inside("internal", self.certificates / "edge")
        self.tls = stage.files / "tls"
        self.tls.mkdir()
        self._certificate()
        at = f"127.0.0.1:{self.suite.port}"
        self.services = {"contacts": at, "routing": at, "notes": at, "notifications": at, "keys": self.suite.internal}
        self.files = {"descriptors": stage.descriptors, "tls_folder": self.tls}
        self.sds = stage.files / "certificate.yaml"
        written = (ROOT / "deploy/kubernetes/base/certificate.yaml").read_text()
        self.sds.write_text(written.replace("/etc/envoy/tls", str(self.tls)))
        self.metrics = free_port()
        self.edge = stage.another_edge(
            "kubernetes", shape="kubernetes", metrics_port=self.metrics, tls_sds=self.sds, otlp_host="127.0.0.1",
            **self.files, **self.inside, **self.services)

    def envoy_takes_each_of_them(self) -> None:
        more = {
            "compose": {"openapi": ROOT / "docs/api/openapi.json", **self.inside},
            "kubernetes": {"tls_sds": self.sds, "tls_folder": self.tls, **self.inside},
        }
        for shape in ("local", "compose", "kubernetes"):
            file = self.stage.files / f"{shape}-as-it-is.yaml"
            file.write_bytes(configuration(shape, descriptors=self.stage.descriptors, **more.get(shape, {})))
            tried = subprocess.run(
                [*envoy(file), "--mode", "validate"], check=False, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            equal(tried.returncode, 0, f"{shape}: {tried.stdout[-600:]}")
            # A setting that Envoy will not have for much longer.
            equal("eprecated" in tried.stdout, False, f"{shape}: {tried.stdout[-600:]}")

    def the_one_for_kubernetes_speaks_tls_and_takes_a_renewed_certificate(self) -> None:
        first = self._served()
        equal(first, (self.tls / "tls.crt").read_text(), "certificate")
        with grpc.secure_channel(self.edge.address, grpc.ssl_channel_credentials(first.encode())) as channel:
            token = grpc.access_token_call_credentials(self._token())
            agents = agent_pb2_grpc.AgentServiceStub(channel)
            agent = agents.GetMyAgent(agent_pb2.GetMyAgentRequest(), timeout=10, credentials=token).agent
            equal(agent.username, "ana", "agent, over TLS")
        self._certificate()
        renewed = (self.tls / "tls.crt").read_text()
        eventually("the renewed certificate is served", lambda: self._served() == renewed or None)
        try:
            grpc.channel_ready_future(grpc.insecure_channel(self.edge.address)).result(timeout=1)
        except grpc.FutureTimeoutError:
            return
        raise Broken("plain text was spoken")

    def it_speaks_tls_to_the_services_and_takes_renewed_certificates_without_a_failed_call(self) -> None:
        equal(self.edge.stat("cluster.routing.ssl.handshake") > 0, True, "handshakes with the service")
        certificate = (self.tls / "tls.crt").read_bytes()
        with grpc.secure_channel(self.edge.address, grpc.ssl_channel_credentials(certificate)) as channel:
            token = grpc.access_token_call_credentials(self._token())
            agents = agent_pb2_grpc.AgentServiceStub(channel)
            before = self._shown()
            self._issued("certificates")

            def renewed() -> bool | None:
                # Each of them arrives: a failed call ends the test.
                agents.GetMyAgent(agent_pb2.GetMyAgentRequest(), timeout=10, credentials=token)
                return self._shown() != before or None

            eventually("the service shows its renewed certificate", renewed)
            # New connections of the edge, with what both have now.
            made = self.edge.stat("cluster.routing.upstream_cx_total")
            self.suite.process.end()
            self.suite.process.start()
            self.suite.wait()

            def called_again() -> bool | None:
                try:
                    agents.GetMyAgent(agent_pb2.GetMyAgentRequest(), timeout=10, credentials=token)
                except grpc.RpcError:
                    return None
                return self.edge.stat("cluster.routing.upstream_cx_total") > made or None

            eventually("the edge calls a restarted service", called_again)

    def a_service_of_another_authority_is_not_believed(self) -> None:
        foreign = self._issued("foreign")
        edge = self.stage.another_edge(
            "unbelieving", shape="kubernetes", believed=False, metrics_port=0, tls_sds=self.sds, otlp_host="127.0.0.1",
            **self.files, **self._inside("unbelieving", foreign / "edge"), **self.services)
        eventually("its certificate is refused", lambda: edge.stat("cluster.routing.ssl.fail_verify_error") > 0 or None)
        with grpc.secure_channel(edge.address, grpc.ssl_channel_credentials((self.tls / "tls.crt").read_bytes())) as channel:
            token = grpc.access_token_call_credentials(self._token())
            try:
                agent_pb2_grpc.AgentServiceStub(channel).GetMyAgent(agent_pb2.GetMyAgentRequest(), timeout=10, credentials=token)
            except grpc.RpcError as refused:
                equal(refused.code(), grpc.StatusCode.UNAVAILABLE, "refusal")
                return
        raise Broken("a service was called whose authority is another's")

    def metrics_are_where_probes_and_prometheus_find_them_and_nothing_else_is(self) -> None:
        at = f"127.0.0.1:{self.metrics}"
        equal(request(at, "GET", "/ready", None).status, 200, "readiness")
        page = request(at, "GET", "/stats/prometheus", None)
        equal((page.status, "envoy_cluster_upstream_rq_total" in page.body), (200, True), "metrics")
        for method, path in [("POST", "/quitquitquit"), ("GET", "/config_dump"), ("POST", "/ready"), ("GET", "/certs"), ("GET", "/")]:
            equal(request(at, method, path, None).status, 404, path)

    def _token(self) -> str:
        return self.suite.token(self.stage.org, "ana", "agent")

    def _shown(self) -> str:
        """The certificate that the service shows. It asks for one in return, but shows its own first."""
        return ssl.get_server_certificate(("127.0.0.1", self.suite.port))

    def _issued(self, name: str) -> Path:
        """Certificates for the services and the edge, as `backchannel certificates` makes and renews them."""
        folder = self.stage.files / name
        subprocess.run([self.stage.suite.program, "certificates", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        return folder

    def _inside(self, name: str, folder: Path) -> dict[str, object]:
        """The edge's settings towards the services, with its certificate from this folder."""
        settings: dict[str, object] = {"service_folder": folder}
        for setting, file in (("service_sds", "internal.yaml"), ("service_authority", "authority.yaml")):
            settings[setting] = sds = self.stage.files / f"{name}-{file}"
            written = (ROOT / "deploy/envoy" / file).read_text()
            sds.write_text(written.replace("/etc/backchannel/certificates/edge", str(folder)))
        return settings

    def _served(self) -> str:
        host, port = self.edge.address.split(":")
        return ssl.get_server_certificate((host, int(port)))

    def _certificate(self) -> None:
        """A new one, put in place of the other in one step, as secrets are."""
        for name in ("tls.crt", "tls.key"):
            (self.tls / f"{name}.new").unlink(missing_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
             "/CN=edge", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.tls / "tls.key.new", "-out", self.tls / "tls.crt.new"],
            check=True, stderr=subprocess.DEVNULL)
        for name in ("tls.key", "tls.crt"):
            (self.tls / f"{name}.new").rename(self.tls / name)
