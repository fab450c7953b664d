import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@testable import HoldfastCloud

@Suite(
    "Azure's and Google's requests against their clients",
    .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set; Tests/servers/python.sh prints it"))
struct RequestLineOracleTests {
    @Test(
        "Every call of the catalog is the request that the provider's own client builds",
        arguments: [
            ("google_requests.py", CloudCall.WireProtocol.google), ("azure_requests.py", CloudCall.WireProtocol.arm),
        ])
    func requests(script: String, wire: CloudCall.WireProtocol) throws {
        let names = WireCatalog.calls([wire])
        let calls = try names.map(WireCatalog.call).map { call -> JSON in
            [
                "name": .string(call.name), "request": .string(call.request),
                "parameters": .array(call.parameters.map { .string($0) }),
            ]
        }
        let lines = try Oracle.lines(script, ["1", "12", JSON.array(calls).canonicalText])
        #expect(Set(lines.compactMap { $0["call"]?.string }) == Set(names))
        for line in lines {
            let call = try WireCatalog.call(line["call"]?.string ?? "")
            let sender = WireSender(
                catalog: WireCatalog.shipped, http: NoExchange(), authority: NoAuthority(), clock: StillClock(),
                newToken: { "" })
            let (request, signingName, _) = try sender.request(
                of: call, parameters: line["parameters"]?.object ?? JSONObject(),
                in: CallScope(cloud: wire == .arm ? .azure : .gcp, account: "a"))
            let url = SplitURL(request.url)
            let query = JSON.array(line["query"]?.array ?? []).canonicalText
            #expect(signingName == "")
            #expect(request.method == line["method"]?.string)
            #expect(
                [url.host, url.path, url.query] == [line["host"]?.string, line["path"]?.string, query], "\(call.name)")
            if let body = line["body"], !body.isNull { #expect(try JSON.parse(request.body) == body, "\(call.name)") }
            #expect(request.headers["If-Match"] == line["headers"]?["if-match"]?.string)
        }
    }
}
