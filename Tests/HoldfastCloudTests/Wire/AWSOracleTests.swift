import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@testable import HoldfastCloud

@Suite(
    "AWS's messages against botocore",
    .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set; Tests/servers/python.sh prints it"))
struct AWSOracleTests {
    /// One call's request as botocore sends it.
    struct Expected {
        var json: JSON
        var call: String { json["call"]?.string ?? "" }
        var region: String { json["region"]?.string ?? "" }
        var body: [UInt8] { bytes(fromBase64: json["body"]?.string ?? "") ?? [] }
        func text(_ name: String) -> String { json[name]?.string ?? "" }
    }

    @Test("Every call of the catalog goes where botocore sends it, with the same method, query, headers and body")
    func requests() throws {
        let lines = try Oracle.lines("aws_requests.py", ["1", "15"] + WireCatalog.aws).map(Expected.init)
        #expect(lines.count >= 2000)
        #expect(Set(lines.map(\.call)) == Set(WireCatalog.aws))
        for line in lines {
            let differences = try differences(from: line)
            if !differences.isEmpty {
                Issue.record(
                    "\(line.call) \(line.json["parameters"]?.canonicalText ?? ""): \(differences.joined(separator: "; "))"
                )
            }
        }
    }

    private func differences(from expected: Expected) throws -> [String] {
        let call = try WireCatalog.call(expected.call)
        let sender = WireSender(
            catalog: WireCatalog.shipped, http: NoExchange(), authority: NoAuthority(), clock: StillClock(),
            newToken: { "token" })
        let scope = CallScope(cloud: .aws, account: "111122223333", region: expected.region)
        let parameters = expected.json["parameters"]?.object ?? JSONObject()
        let (request, signingName, signed) = try sender.request(of: call, parameters: parameters, in: scope)
        var found: [String] = []
        func compare(_ what: String, _ own: String, _ theirs: String) {
            if !own.equalsInUTF8(theirs) { found.append("\(what) is \(own), and botocore has \(theirs)") }
        }
        let url = SplitURL(request.url)
        compare("method", request.method, expected.text("method"))
        compare("host", url.host, expected.text("host"))
        compare("path", url.path, expected.text("path"))
        compare("query", url.query, JSON.array(expected.json["query"]?.array ?? []).canonicalText)
        compare("signed", "\(signed.region) \(signingName)", signedText(expected))
        for header in expected.json["headers"]?.object?.members ?? [] {
            // Of a body that may have its members in another order the checksum is another.
            let own = header.name == "x-amz-checksum-sha256" ? base64Text(sha256(request.body).bytes) : nil
            compare(header.name, request.headers[header.name] ?? "", own ?? header.value.string ?? "")
        }
        for field in request.headers.fields where expected.json["headers"]?[field.name.lowercased()] == nil {
            let isOfXML = field.name == "Content-Type" && call.wire == .restXML
            if !isOfXML { found.append("\(field.name) is sent, and botocore does not") }
        }
        let isXML = request.headers["Content-Type"] == "application/xml"
        compare(
            "body", try form(of: request.body, call, isXML: isXML), try form(of: expected.body, call, isXML: isXML))
        return found
    }

    @Test(
        "Answers are read as boto3 reads them: of every call, made of its shapes, and those of a moto with refusals",
        arguments: ["made", "moto"])
    func answers(kind: String) throws {
        let lines = try Oracle.lines("aws_answers.py", [kind, "1", kind == "made" ? "12" : "3"] + WireCatalog.aws)
        #expect(lines.count >= (kind == "made" ? 2000 : 400))
        var refused = 0
        for line in lines {
            let call = try WireCatalog.call(line["call"]?.string ?? "")
            let (model, operation) = try #require(WireCatalog.shipped.wire(of: call))
            let wire = AWSWire(call: call, model: model, operation: operation)
            var response = HTTPResponse(
                status: line["status"]?.int ?? 0, body: bytes(fromBase64: line["body"]?.string ?? "") ?? [])
            for header in line["headers"]?.object?.members ?? [] {
                response.headers.add(header.name, header.value.string ?? "")
            }
            var theirs = line["parsed"]?.object ?? JSONObject()
            if let error = theirs["Error"], response.status >= 300 {
                refused += 1
                let refusal = wire.refusal(response)
                let about = "\(call.name) \(String(decoding: response.body, as: UTF8.self))"
                #expect(refusal.code == error["Code"]?.scalarText, "\(about)")
                // Where nothing is said, boto3 says what HTTP calls the status.
                if !response.body.isEmpty { #expect(refusal.message == error["Message"]?.string ?? "", "\(about)") }
                continue
            }
            if wire.answersWithBytes { theirs[operation.output?.payload ?? ""] = nil }
            // The model has a text here, of which boto3 alone makes a time.
            if let expires = theirs["Expires"], call.model == "s3" {
                theirs["Expires"] = response.headers["Expires"].map(JSON.string) ?? expires
            }
            let ours = Result { try wire.answer(response).normalForm }
            if (try? ours.get()) != JSON.object(theirs).normalForm {
                Issue.record("\(call.name): \(ours), and boto3 reads \(JSON.object(theirs).normalForm)")
            }
        }
        #expect(kind == "made" || refused > 100)
    }

    private func signedText(_ expected: Expected) -> String {
        (expected.json["signed"]?.array?.compactMap(\.string) ?? []).joined(separator: " ")
    }

    /// A body in a form in which the two can be compared.
    private func form(of body: [UInt8], _ call: CloudCall, isXML: Bool) throws -> String {
        let text = String(decoding: body, as: UTF8.self)
        switch call.wire {
        case .query, .ec2: return SplitURL("http://x/?\(text)").query
        case .json10, .json11, .restJSON: return body.isEmpty ? "" : try JSON.parse(body).normalForm
        default:
            guard isXML else { return text }
            let namespaces = text.matches(of: /xmlns[:a-z]*="[^"]*"/).map { String($0.output) }
            return "\(try XMLReader.read(body)) \(namespaces)"
        }
    }
}

extension JSON {
    /// Numbers of one value have one text.
    fileprivate var normalForm: String {
        switch self {
        case .number(let number): number.int.map(String.init) ?? "\(number.double)"
        case .array(let elements): "[\(elements.map(\.normalForm).joined(separator: ","))]"
        case .object(let object):
            "{\(object.members.map { "\(JSON.string($0.name).canonicalText):\($0.value.normalForm)" }.joined(separator: ","))}"
        default: canonicalText
        }
    }
}
