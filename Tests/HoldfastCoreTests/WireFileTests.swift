import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

@Suite("How AWS's calls travel")
struct WireFileTests {
    private static let model = """
        {
          "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "toys", "protocol": "rest-xml",
            "serviceId": "Toys",
            "signingName": "toy"},
          "operations": {
            "PutToy": {"name": "PutToy", "http": {"method": "PUT", "requestUri": "/{Bucket}/toy"},
              "input": {"shape": "PutToyRequest"}, "httpChecksum": {"requestChecksumRequired": true,
              "requestAlgorithmMember": "Algorithm"}, "documentation": "Puts it."},
            "ListToys": {"name": "ListToys", "http": {"method": "GET", "requestUri": "/"},
              "output": {"shape": "ListToysResult", "resultWrapper": "W"}},
            "BreakToy": {"name": "BreakToy", "http": {"method": "POST", "requestUri": "/"},
              "input": {"shape": "Unused"}}
          },
          "shapes": {
            "PutToyRequest": {"type": "structure", "required": ["Bucket"], "payload": "Toy", "members": {
              "Bucket": {"shape": "Name", "location": "uri", "locationName": "Bucket",
                "contextParam": {"name": "Bucket"}},
              "Algorithm": {"shape": "Name", "location": "header", "locationName": "x-algorithm"},
              "Toy": {"shape": "Toy", "xmlNamespace": {"uri": "http://toys"}},
              "Token": {"shape": "Name", "idempotencyToken": true}}},
            "Toy": {"type": "structure", "members": {
              "Born": {"shape": "Day"}, "Parts": {"shape": "Parts", "locationName": "Part"}}},
            "Parts": {"type": "list", "member": {"shape": "Toy"}, "flattened": true},
            "ListToysResult": {"type": "structure", "members": {
              "Toys": {"shape": "ByName"}, "Next": {"shape": "Name"}}},
            "ByName": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Size"}},
            "Day": {"type": "timestamp", "timestampFormat": "iso8601"},
            "Name": {"type": "string", "max": 3, "documentation": "A name."},
            "Size": {"type": "long"},
            "Unused": {"type": "structure", "members": {"Stream": {"shape": "Stream"}}},
            "Stream": {"type": "structure", "eventstream": true, "members": {}}
          }
        }
        """
    private static let paginators = """
        {"pagination": {"ListToys": {"input_token": "Next", "output_token": "Next", "result_key": "Toys"}}}
        """
    private static let catalogText = """
        models:
          toys: {logs: toys.amazonaws.com/*}
        types:
          AWS::Toys::Toy:
            id: "arn:{partition}:toys:{region}:{account}:{Bucket}"
            example: arn:aws:toys:eu-west-1:111122223333:a
            scope: regional
            properties: cloudformation
            paths: [Bucket, "Parts[].Born"]
            read: {call: toys.PutToy, with: {Bucket: {variable: Bucket}, Toy: TOY}, fills: [Parts]}
        calls:
          toys.PutToy: {protocol: rest-xml, request: "PUT /{Bucket}/toy", permission: x, parameters: [Toy, Token]}
          toys.ListToys: {protocol: rest-xml, request: GET /, permission: x}
        """

    private func catalog(_ text: String, wire: [WireFile]?) throws -> (catalog: Catalog, problems: [String]) {
        let text = text.replacing("TOY", with: "{value: {Born: 2020-01-01T00:00:00Z}}")
        let (catalog, problems) = Catalog.load(
            [("aws/toys", try YAMLReader.read(text, file: "x.yaml"))], operations: nil, wire: wire)
        return (catalog, problems.map(\.message))
    }

    private func proof(_ text: String = catalogText) throws -> CatalogProof {
        let folder = "botocore/data/toys/2020-01-01"
        return try catalog(text, wire: nil).catalog.proof(from: [
            ModelFile(path: "\(folder)/service-2.json", bytes: Array(Self.model.utf8)),
            ModelFile(path: "\(folder)/paginators-1.json", bytes: Array(Self.paginators.utf8)),
        ])
    }

    private func wire() throws -> [WireFile] {
        let text = try #require(try proof().wire["aws/wire/toys.json"])
        return [WireFile(name: "aws/wire/toys", path: "toys.json", json: try JSON.parse(text))]
    }

    @Test("A wire file has the operations that are called, the shapes that they reach, and nothing else of the model")
    func extraction() throws {
        let expected = """
            {
              "operations": {
                "ListToys": {
                  "output": "ListToysResult",
                  "pages": {
                    "input": ["Next"],
                    "output": ["Next"],
                    "results": ["Toys"]
                  },
                  "resultWrapper": "W"
                },
                "PutToy": {
                  "checksum": "x-algorithm",
                  "hostMember": "Bucket",
                  "input": {
                    "payload": "Toy",
                    "type": "PutToyRequest"
                  }
                }
              },
              "service": {
                "apiVersion": "2020-01-01",
                "endpointPrefix": "toys",
                "id": "Toys",
                "signingName": "toy"
              },
              "shapes": {
                "ByName": {
                  "key": "string",
                  "value": "integer"
                },
                "ListToysResult": {
                  "members": {
                    "Next": "string",
                    "Toys": "ByName"
                  }
                },
                "Parts": {
                  "list": "Toy"
                },
                "PutToyRequest": {
                  "members": {
                    "Algorithm": {"location":"header","locationName":"x-algorithm","type":"string"},
                    "Bucket": {"location":"uri","locationName":"Bucket","type":"string"},
                    "Token": {"idempotencyToken":true,"type":"string"},
                    "Toy": {"type":"Toy","xmlNamespace":{"uri":"http://toys"}}
                  }
                },
                "Toy": {
                  "members": {
                    "Born": {"timestampFormat":"iso8601","type":"timestamp"},
                    "Parts": {"flattened":true,"locationName":"Part","type":"Parts"}
                  }
                }
              }
            }

            """
        let proof = try proof()
        #expect(proof.problems.map(\.message) == [])
        #expect(proof.wire == ["aws/wire/toys.json": expected])
    }

    @Test("An operation that needs what nobody here can send is a problem of the proof")
    func unsupported() throws {
        let call = "\n  toys.BreakToy: {protocol: rest-xml, request: POST /, permission: x}"
        let problems = try proof(Self.catalogText + call).problems.map(\.message)
        #expect(problems == ["toys.BreakToy cannot be carried: Stream has the trait \"eventstream\""])
    }

    @Test("What a wire file says can be asked for")
    func reading() throws {
        let (catalog, problems) = try catalog(Self.catalogText, wire: try wire())
        #expect(problems == [])
        let call = try #require(catalog.call("toys.PutToy"))
        let (model, operation) = try #require(catalog.wire(of: call))
        #expect(operation.hostMember == "Bucket")
        #expect(operation.checksumHeader == "x-algorithm")
        let input = try #require(operation.input)
        #expect(model.shape(of: input)?.member("Token")?.isIdempotencyToken == true)
        #expect(model.shape(of: input)?.member("Tokens") == nil)
        #expect(model.operations["ListToys"]?.pages?.tokens.map(\.output) == ["Next"])
    }

    @Test("A call that no wire file carries says which command makes the file")
    func missing() throws {
        let message = "does not say how toys.ListToys travels; run holdfast catalog prove --models DIR"
        let problems = try catalog(Self.catalogText, wire: []).problems
        #expect(problems.contains("catalog/aws/wire/toys.json \(message)"))
        #expect(problems.count == 2)
    }

    @Test(
        "A parameter that the provider's model does not have is found when the catalog is loaded",
        arguments: [
            (
                "parameters: [Toy, Token]", "parameters: [Toy, Tokn]",
                "toys.PutToy has no \"Tokn\"; did you mean \"Token\"?"
            ),
            ("Toy: TOY", "Toy: {value: {Borne: x}}", "Toy of toys.PutToy has no \"Borne\"; did you mean \"Born\"?"),
            (
                "Toy: TOY", "Toy: {map: {Parts: {list: [{map: {Bron: id}}]}}}",
                "Toy.Parts of toys.PutToy has no \"Bron\"; did you mean \"Born\"?"
            ),
            ("Toy: TOY", "Toy: {value: red}", "Toy of toys.PutToy is a map, not a text"),
            ("Toy: TOY", "Toy: {value: {Born: soon}}", "Toy.Born of toys.PutToy is a time, not a text"),
            ("Toy: TOY", "Toy: {value: {Parts: {Born: x}}}", "Toy.Parts of toys.PutToy is a list, not a map"),
        ])
    func names(old: String, new: String, expected: String) throws {
        let text = Self.catalogText.replacing(old, with: new)
        #expect(try catalog(text, wire: try wire()).problems == [expected])
    }

    @Test("A wire file that was changed by hand so that a shape is missing does not load")
    func broken() throws {
        var files = try wire()
        let text = files[0].json.canonicalText.replacing("\"Parts\":{\"list\"", with: "\"Pieces\":{\"list\"")
        files[0].json = try JSON.parse(text)
        let problems = try catalog(Self.catalogText, wire: files).problems
        let reason = "names the shape Parts, which it does not have"
        #expect(problems.contains("the file \(reason); run holdfast catalog prove --models DIR"))
    }

    @Test(
        "A service answers under its region's name, or under one name for all regions",
        arguments: [
            ("ec2", "eu-west-1", "aws", "ec2.eu-west-1.amazonaws.com", "eu-west-1"),
            ("s3-control", "us-gov-west-1", "aws-us-gov", "s3-control.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("kms", "cn-north-1", "aws-cn", "kms.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("iam", "eu-west-1", "aws", "iam.amazonaws.com", "us-east-1"),
            ("iam", "cn-northwest-1", "aws-cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("iam", "us-gov-east-1", "aws-us-gov", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
            ("organizations", "eu-west-1", "aws", "organizations.us-east-1.amazonaws.com", "us-east-1"),
            ("sts", "eusc-de-east-1", "aws-eusc", "sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ])
    func hosts(service: String, region: String, partition: String, host: String, signed: String) throws {
        let found = try #require(ShippedCatalog.loaded.catalog.partitions.first { $0.contains(region: region) })
        #expect(found.name == partition)
        let answer = found.host(of: service, region: region)
        #expect([answer.name, answer.region] == [host, signed])
    }
}
