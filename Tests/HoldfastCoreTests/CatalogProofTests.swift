import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

@Suite("The proof of the catalog")
struct CatalogProofTests {
    /// The folder of the providers' packages in the tests' Python environment (`…/bin/python`).
    static let models = ProcessInfo.processInfo.environment["HOLDFAST_TEST_PYTHON"].map { python in
        URL(filePath: python).deletingLastPathComponent().deletingLastPathComponent().appending(path: "lib").path
    }

    static let botocore = """
        {
          "metadata": {"protocol": "json", "jsonVersion": "1.1"},
          "operations": {
            "PutThing": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "PutThingRequest"}},
            "DeleteThing": {"http": {"method": "POST", "requestUri": "/"}}
          },
          "shapes": {
            "PutThingRequest": {
              "type": "structure", "members": {"Name": {"shape": "Text"}, "Policy": {"shape": "Text"}}},
            "Text": {"type": "string"}}
        }
        """

    private func proof(_ text: String, folder: String, models: [(String, String)]) throws -> CatalogProof {
        let node = try YAMLReader.read(text, file: "x.yaml")
        let (catalog, problems) = Catalog.load([(folder, node)], operations: nil)
        #expect(problems == [])
        return catalog.proof(from: models.map { ModelFile(path: $0.0, bytes: Array($0.1.utf8)) })
    }

    private func awsFile(rest: String) -> String {
        """
        models:
          x: {logs: x.amazonaws.com/*, names: {DeleteThing: RemoveThing}, beside: [x.amazonaws.com/ThingExpired]}
        types:
          AWS::X::Thing:
            id: "arn:{partition}:x:{region}:{account}:thing/{ThingId}"
            example: arn:aws:x:eu-west-1:111122223333:thing/a
            scope: regional
            properties: cloudformation
            paths: [ThingId, Name, Policy.*]
        \(rest)
        """
    }

    private static let path = "site-packages/botocore/data/x/2020-01-01/service-2.json"

    @Test("What is logged is listed with the operation that it comes from")
    func operations() throws {
        let proof = try proof(awsFile(rest: ""), folder: "aws/x", models: [(Self.path, Self.botocore)])
        #expect(proof.problems == [])
        #expect(
            proof.operations[.aws] == """
                # Made by `holdfast catalog prove`; do not edit.
                x.amazonaws.com/PutThing\tx.PutThing
                x.amazonaws.com/RemoveThing\tx.DeleteThing
                x.amazonaws.com/ThingExpired\t-

                """)
    }

    @Test(
        "A call, a parameter, an event or a place that the model does not have is a problem",
        arguments: [
            (
                "calls: {x.PutThin: {protocol: json-1.1, permission: x}}",
                "no model has the operation \"x.PutThin\"; did you mean \"x.PutThing\"?"
            ),
            (
                "calls: {x.PutThing: {protocol: json-1.1, permission: x, parameters: [Nam]}}",
                "x.PutThing has no parameter \"Nam\"; did you mean \"Name\"?"
            ),
            (
                "calls: {x.PutThing: {protocol: query, permission: x}}",
                "x.PutThing travels by json-1.1, not by query"
            ),
            (
                "events: {x.amazonaws.com/DeleteThing: {deletes: AWS::X::Thing, name: requestParameters.name}}",
                "no model logs \"x.amazonaws.com/DeleteThing\"; did you mean \"x.amazonaws.com/RemoveThing\"?"
            ),
            (
                "events: {x.amazonaws.com/PutThing: {deletes: AWS::X::Thing, name: requestParameters.nam}}",
                "x.amazonaws.com/PutThing has no request parameter \"nam\"; did you mean \"name\"?"
            ),
            (
                "events: {y.amazonaws.com/PutThing: {deletes: AWS::X::Thing, name: requestParameters.name}}",
                "no model logs \"y.amazonaws.com/PutThing\"; no model: of the catalog logs for y.amazonaws.com"
            ),
        ])
    func faults(rest: String, expected: String) throws {
        let proof = try proof(awsFile(rest: rest), folder: "aws/x", models: [(Self.path, Self.botocore)])
        #expect(proof.problems.map(\.message) == [expected])
    }

    @Test("A model that is not given leaves the list of its cloud alone")
    func missingModel() throws {
        let proof = try proof(awsFile(rest: ""), folder: "aws/x", models: [])
        #expect(proof.problems.map(\.message) == ["the model \"x\" is not among the files given"])
        #expect(proof.operations.isEmpty)
    }

    @Test("Google's discovery documents give methods, their parameters and those of the body")
    func google() throws {
        let file = """
            models:
              compute.v1: {logs: [compute.googleapis.com/v1.*, compute.googleapis.com/beta.*]}
            calls:
              compute.firewalls.patch:
                protocol: google
                request: PATCH https://compute.googleapis.com/compute/v1/projects/{project}/global/firewalls/{firewall}
                permission: x
                parameters: [body, disabled, sourceRange]
            """
        let document = """
            {
              "discoveryVersion": "v1", "rootUrl": "https://compute.googleapis.com/", "servicePath": "compute/v1/",
              "resources": {"firewalls": {"methods": {"patch": {
                "id": "compute.firewalls.patch", "request": {"$ref": "Firewall"},
                "parameters": {"project": {}, "firewall": {}},
                "httpMethod": "PATCH", "path": "projects/{project}/global/firewalls/{firewall}"}}}},
              "schemas": {"Firewall": {"properties": {"disabled": {}, "sourceRanges": {}}}}
            }
            """
        let path = "googleapiclient/discovery_cache/documents/compute.v1.json"
        let proof = try proof(file, folder: "gcp/compute", models: [(path, document)])
        let expected = "compute.firewalls.patch has no parameter \"sourceRange\"; did you mean \"sourceRanges\"?"
        #expect(proof.problems.map(\.message) == [expected])
        #expect(proof.operations[.gcp]?.contains("compute.googleapis.com/beta.compute.firewalls.patch\t") == true)
    }

    @Test("Azure's packages give operations by path and verb")
    func azure() throws {
        let base = "/subscriptions/{s}/providers/Microsoft.Storage/storageAccounts/{a}"
        let file = """
            models:
              storage: {logs: "*"}
            calls:
              storageAccounts.Update: {protocol: arm, request: "PATCH \(base)?api-version=2023-01-01", permission: x}
              storageAccounts.Move: {protocol: arm, request: "POST \(base)/mov", permission: x}
            """
        let source = """
            def build_update_request(**kwargs: Any) -> HttpRequest:
                _url = kwargs.pop(
                    "template_url",
                    "/subscriptions/{subscriptionId}/providers/Microsoft.Storage/storageAccounts/{n}",
                )
                return HttpRequest(method="PATCH", url=_url, params=_params, headers=_headers, **kwargs)

            def build_regenerate_key_request(**kwargs: Any) -> HttpRequest:
                _url = "/subscriptions/{s}/providers/Microsoft.Storage/storageAccounts/{a}/regenerateKey"
                return HttpRequest(method="POST", url=_url, params=_params, headers=_headers, **kwargs)
            """
        let path = "azure/mgmt/storage/operations/_storage_accounts_operations.py"
        let proof = try proof(file, folder: "azure/storage", models: [(path, source)])
        #expect(proof.problems.count == 1)
        #expect(proof.problems.first?.message.hasPrefix("no model has the operation \"POST") == true)
        let lines = proof.operations[.azure]?.split(separator: "\n").map { $0.split(separator: "\t")[0] } ?? []
        #expect(
            lines.dropFirst() == [
                "microsoft.storage/storageaccounts/regeneratekey/action", "microsoft.storage/storageaccounts/write",
            ])
    }

    @Test(
        "The shipped catalog and what it takes from the providers' models are what the models say",
        .enabled(if: models != nil, "HOLDFAST_TEST_PYTHON is not set; Tests/servers/python.sh prints it"))
    func shipped() throws {
        let root = try #require(Self.models)
        let catalog = ShippedCatalog.loaded.catalog
        let proof = catalog.proof(from: try ModelFolder.read([root], neededBy: catalog))
        #expect(proof.problems.isEmpty, "\(proof.problems.map(\.description).joined(separator: "\n"))")
        var made = proof.wire
        for (cloud, text) in proof.operations { made["\(cloud.rawValue)/operations.tsv"] = text }
        #expect(made.count > 12)
        for (path, text) in made {
            let committed = try? String(contentsOf: ShippedCatalog.folder.appending(path: path), encoding: .utf8)
            #expect(committed == text, "catalog/\(path) is not what holdfast catalog prove writes; run it and commit")
        }
        let wire = DataFolder.readWire([ShippedCatalog.folder.path]).files.map { "\($0.name).json" }
        #expect(wire == made.keys.filter { $0.hasSuffix(".json") }.sorted())
    }
}
