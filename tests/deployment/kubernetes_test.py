"""G3: what a cluster would be sent."""

from __future__ import annotations

import os
import re
import tomllib
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

KUBERNETES = Path("deploy/kubernetes")
# The oldest that is still looked after somewhere, and the newest.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
# What an operator makes beforehand; README.md says how.
MADE_BEFOREHAND = {"database", "nats", "signing-key", "seal", "edge-tls", "smtp", "push", "people-keys"}

Manifest = dict[str, Any]


def rendered(name: str) -> list[Manifest]:
    file = Path(os.environ["RENDERED"], f"{name}.yaml")
    if not file.exists():
        raise unittest.SkipTest("not rendered: no kubectl here")
    return [it for it in yaml.safe_load_all(file.read_text()) if it]


def overlays() -> Iterator[tuple[str, list[Manifest]]]:
    for name in ("development", "production"):
        yield name, rendered(name)


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for it in manifests:
        if it["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield it["metadata"]["name"], it["spec"]["template"]


def known(manifests: list[Manifest]) -> list[Manifest]:
    """What Kubernetes itself knows, without what cert-manager brings: `Certificates` looks at that."""
    return [it for it in manifests if not it["apiVersion"].startswith("cert-manager.io/")]


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {it["metadata"]["name"]: it for it in manifests if it["kind"] == kind}


class Manifests(unittest.TestCase):
    def test_every_manifest_is_what_kubernetes_knows(self) -> None:
        for name in ("development", "production", "migrate"):
            for manifest in known(rendered(name)):
                for version in VERSIONS:
                    with self.subTest(f"{name}: {manifest['kind']} {manifest['metadata']['name']}, {version}"):
                        kubernetes_validate.validate(manifest, version, strict=True)

    def test_files_that_nobody_renders_are_what_kubernetes_knows(self) -> None:
        """Also where there is no kubectl."""
        patches = {"common.yaml", "services.yaml", "production/notifications.yaml", "kustomization.yaml", "certificate.yaml"}
        for file in sorted(KUBERNETES.rglob("*.yaml")):
            if file.name in patches or "/".join(file.parts[-2:]) in patches:
                continue
            for manifest in known(list(yaml.safe_load_all(file.read_text()))):
                with self.subTest(f"{file}: {manifest['kind']} {manifest['metadata']['name']}"):
                    kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)

    def test_everything_that_a_pod_mounts_or_reads_is_there_or_in_the_guide(self) -> None:
        guide = Path("deploy/README.md").read_text()
        for name, manifests in overlays():
            there = {*named(manifests, "Secret"), *named(manifests, "ConfigMap")}
            there |= {it["spec"]["secretName"] for it in named(manifests, "Certificate").values()}
            for pod, template in pods(manifests):
                for wanted in wants(template["spec"]):
                    with self.subTest(f"{name}: {pod} wants {wanted}"):
                        made = name == "production" and wanted in MADE_BEFOREHAND
                        self.assertTrue(wanted in there or made)
                        if made:
                            self.assertIn(wanted, guide)

    def test_no_secret_is_in_what_production_is_sent(self) -> None:
        self.assertEqual(named(rendered("production"), "Secret"), {})

    def test_every_service_leads_to_pods_and_to_a_port_of_theirs(self) -> None:
        for name, manifests in overlays():
            for service in named(manifests, "Service").values():
                if service["spec"].get("type") == "ExternalName":
                    continue
                with self.subTest(f"{name}: {service['metadata']['name']}"):
                    selector = service["spec"]["selector"]
                    found = [t for _, t in pods(manifests) if selector.items() <= t["metadata"]["labels"].items()]
                    self.assertEqual(len(found), 1)
                    ports = {p["name"] for c in found[0]["spec"]["containers"] for p in c.get("ports", [])}
                    self.assertLessEqual({p["targetPort"] for p in service["spec"]["ports"]}, ports)

    def test_nobody_is_root_or_may_write_to_the_image(self) -> None:
        for name, manifests in [*overlays(), ("migrate", rendered("migrate"))]:
            for pod, template in pods(manifests):
                spec = template["spec"]
                with self.subTest(f"{name}: {pod}"):
                    self.assertTrue(spec["securityContext"]["runAsNonRoot"])
                    self.assertEqual(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
                    self.assertFalse(spec["automountServiceAccountToken"])
                    for container in [*spec["containers"], *spec.get("initContainers", [])]:
                        context = container["securityContext"]
                        self.assertFalse(context["allowPrivilegeEscalation"])
                        self.assertEqual(context["capabilities"]["drop"], ["ALL"])
                        # PostgreSQL of the development overlay writes beside its data.
                        self.assertTrue(context.get("readOnlyRootFilesystem") or pod == "postgres")
                        self.assertIn("memory", container["resources"]["limits"])
                        self.assertIn("cpu", container["resources"]["requests"])

    def test_the_services_are_probed_and_end_in_order(self) -> None:
        for name, manifests in overlays():
            for service in ("contacts", "assignment-routing", "notes", "notifications"):
                with self.subTest(f"{name}: {service}"):
                    deployment = named(manifests, "Deployment")[service]["spec"]
                    spec = deployment["template"]["spec"]
                    container = spec["containers"][0]
                    # Probes speak no TLS, so never with the port that does.
                    for probe, path in (("readinessProbe", "/readyz"), ("startupProbe", "/readyz"), ("livenessProbe", "/healthz")):
                        self.assertEqual(container[probe]["httpGet"], {"path": path, "port": "metrics"})
                    # shared/runtime/src/lifecycle.rs ends within 25 s.
                    self.assertGreater(spec["terminationGracePeriodSeconds"], 25)
                    self.assertEqual(deployment["strategy"]["rollingUpdate"]["maxUnavailable"], 0)
                    self.assertIn(service, named(manifests, "PodDisruptionBudget"))

    def test_production_scales_each_of_them_and_fixes_no_number(self) -> None:
        manifests = rendered("production")
        scaled = {it["spec"]["scaleTargetRef"]["name"] for it in named(manifests, "HorizontalPodAutoscaler").values()}
        deployments = named(manifests, "Deployment")
        self.assertEqual(scaled, set(deployments))
        for name, deployment in deployments.items():
            self.assertNotIn("replicas", deployment["spec"], name)

    def test_images_of_production_have_versions(self) -> None:
        for pod, template in pods(rendered("production")):
            for container in [*template["spec"]["containers"], *template["spec"].get("initContainers", [])]:
                self.assertRegex(container["image"], r":[^/]*[0-9.]+", pod)


class Network(unittest.TestCase):
    def test_only_the_edge_is_reached_from_outside(self) -> None:
        for name, manifests in overlays():
            policies = named(manifests, "NetworkPolicy")
            self.assertEqual(policies["nobody"]["spec"], {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
            # A rule without `from` is for everybody.
            open_to_all = [p for p, it in policies.items() if any("from" not in rule for rule in it["spec"].get("ingress", []))]
            self.assertEqual(open_to_all, ["edge"], name)

    def test_only_notifications_calls_the_world(self) -> None:
        for _, manifests in overlays():
            for policy, it in named(manifests, "NetworkPolicy").items():
                blocks = [to for rule in it["spec"].get("egress", []) for to in rule.get("to", []) if "ipBlock" in to]
                self.assertEqual(bool(blocks), policy == "outside", policy)

    def test_every_service_may_reach_those_it_asks(self) -> None:
        """Who asks whom is in the source; that a policy forgets one would show in the cluster only."""
        folders = {"contacts": "contacts", "routing": "assignment-routing", "notes": "notes", "notifications": "notifications"}
        manifests = rendered("production")
        policies = named(manifests, "NetworkPolicy")
        asked = 0
        for folder in folders.values():
            sources = [file.read_text() for file in Path("services", folder, "src").rglob("*.rs")]
            constants = {m[1]: m[2] for text in sources for m in re.finditer(r'const (\w+): &str = "(\w+)"', text)}
            for text in sources:
                for argument in re.findall(r'deps\s*\.peer\(\s*(?:\w+::)*("?\w+"?)\s*\)', text):
                    peer = argument.strip('"') if argument.startswith('"') else constants[argument]
                    allowed = policies[folders[peer]]["spec"]["ingress"][0]["from"][0]["podSelector"]["matchExpressions"][0]["values"]
                    self.assertIn(folder, allowed, f"{folder} asks {peer}")
                    asked += 1
        self.assertGreater(asked, 7)

    def test_the_edge_may_reach_what_it_is_configured_with(self) -> None:
        manifests = rendered("production")
        policies, services = named(manifests, "NetworkPolicy"), named(manifests, "Service")
        envoy = Path("deploy/envoy/kubernetes.yaml").read_text()
        found = set(re.findall(r"socket_address: \{address: ([a-z-]+), port_value: (\d+)\}", envoy))
        self.assertIn(("notes", "50051"), found)
        for host, port in found:
            self.assertIn(host, services)
            outwards = [p["port"] for rule in policies["edge"]["spec"]["egress"] for p in rule["ports"]]
            self.assertIn(int(port), outwards, host)
            if host in policies:
                inwards = [p["port"] for rule in policies[host]["spec"]["ingress"]
                           for p in rule["ports"] if "edge" in str(rule["from"])]
                self.assertIn(int(port), inwards, host)

    def test_peers_are_services_of_the_cluster(self) -> None:
        config = tomllib.loads((KUBERNETES / "base/backchannel.toml").read_text())
        services = named(rendered("production"), "Service")
        for peer, address in config["peers"].items():
            host, port = re.fullmatch(r"https://([\w-]+):(\d+)", address).groups()  # type: ignore[union-attr]
            self.assertEqual([p["port"] for p in services[host]["spec"]["ports"]], [int(port)], peer)

    def test_the_files_that_are_configured_are_mounted(self) -> None:
        config = tomllib.loads((KUBERNETES / "base/backchannel.toml").read_text())
        deployment = named(rendered("production"), "Deployment")["notes"]["spec"]["template"]["spec"]
        mounted = [it["mountPath"] for it in deployment["containers"][0]["volumeMounts"]]
        for file in (config["keys"]["jwks"], config["keys"]["signing"], *(config["tls"][it] for it in ("certificate", "key", "authority"))):
            self.assertIn(str(Path(file).parent), mounted)
        edge = named(rendered("production"), "Deployment")["edge"]["spec"]["template"]["spec"]
        mounted = [it["mountPath"] for it in edge["containers"][0]["volumeMounts"]]
        envoy = "".join(Path("deploy/envoy", file).read_text() for file in ("kubernetes.yaml", "internal.yaml", "authority.yaml"))
        for file in re.findall(r"(?:filename|path|proto_descriptor): \"?(/etc/(?:backchannel|envoy)/[^\s\"},]+)", envoy):
            self.assertTrue(any(file == at or file.startswith(f"{at}/") for at in mounted), file)


SERVICES = ("contacts", "assignment-routing", "notes", "notifications")


class Certificates(unittest.TestCase):
    """TLS between the edge and the services, and among the services."""

    def test_each_process_has_a_certificate_of_its_own_in_every_overlay(self) -> None:
        for name, manifests in overlays():
            deployments, seen = named(manifests, "Deployment"), set()
            for process in (*SERVICES, "edge"):
                spec = deployments[process]["spec"]["template"]["spec"]
                mounted = {it["name"]: it for it in spec["containers"][0]["volumeMounts"]}
                volume = "internal-tls" if process == "edge" else "tls"
                # Without subPath, or a renewed certificate would never be seen.
                self.assertTrue(mounted[volume]["readOnly"] and "subPath" not in mounted[volume], f"{name}: {process}")
                seen |= {it["secret"]["secretName"] for it in spec["volumes"] if it["name"] == volume}
            self.assertEqual(len(seen), 5, name)

    def test_certificates_are_for_every_name_that_a_service_is_called_by(self) -> None:
        certificates = {it["spec"]["secretName"]: it["spec"] for it in named(rendered("production"), "Certificate").values()}
        config = tomllib.loads((KUBERNETES / "base/backchannel.toml").read_text())
        called = {re.fullmatch(r"https://([\w-]+):\d+", address).group(1) for address in config["peers"].values()}  # type: ignore[union-attr]
        clusters = yaml.safe_load(Path("deploy/envoy/kubernetes.yaml").read_text())["static_resources"]["clusters"]
        for cluster in clusters:
            if cluster["name"].removesuffix("-streams") in config["peers"]:
                tls = cluster["transport_socket"]["typed_config"]
                validation = tls["common_tls_context"]["combined_validation_context"]
                names = {it["matcher"]["exact"] for it in validation["default_validation_context"]["match_typed_subject_alt_names"]}
                self.assertEqual(names, {tls["sni"]})
                called |= names
        self.assertEqual(len(called), 8)
        for service in SERVICES:
            self.assertEqual({it for it in called if it.removesuffix("-internal") == service}, set(certificates[f"{service}-tls"]["dnsNames"]))

    def test_certificates_are_renewed_in_time_by_one_authority_and_serve_both_ways(self) -> None:
        self.assertTrue(tomllib.loads((KUBERNETES / "base/backchannel.toml").read_text())["tls"]["mutual"])
        manifests = rendered("production")
        certificates, issuers = named(manifests, "Certificate"), named(manifests, "Issuer")
        authority = certificates["authority"]["spec"]
        self.assertEqual(issuers["authority"]["spec"]["ca"]["secretName"], authority["secretName"])
        self.assertTrue(authority["isCA"] and authority["privateKey"]["rotationPolicy"] == "Never")
        for name, certificate in certificates.items():
            spec = certificate["spec"]
            hours = {key: int(spec[key].removesuffix("h")) for key in ("duration", "renewBefore")}
            # The alert CertificateEnds is for the last week.
            self.assertTrue(7 * 24 < hours["renewBefore"] < hours["duration"], name)
            self.assertIn(spec["issuerRef"]["name"], issuers)
            if name != "authority":
                self.assertEqual(spec["issuerRef"]["name"], "authority", name)
                self.assertLessEqual({"server auth", "client auth"}, set(spec["usages"]), name)


def wants(spec: Manifest) -> Iterator[str]:
    """The names of the secrets and ConfigMaps of a pod."""
    for volume in spec.get("volumes", []):
        if "secret" in volume:
            yield volume["secret"]["secretName"]
        if "configMap" in volume:
            yield volume["configMap"]["name"]
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        for variable in container.get("env", []):
            if "valueFrom" in variable:
                yield variable["valueFrom"]["secretKeyRef"]["name"]


if __name__ == "__main__":
    unittest.main()
