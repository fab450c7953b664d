import HoldfastHTTP
import Testing

@Suite("HTTP messages")
struct MessageTests {
    @Test("A header is found in any letter case, and setting it replaces every value")
    func headers() {
        var headers = HTTPHeaders(["Retry-After": "3"])
        headers.add("retry-after", "4")
        #expect(headers["RETRY-AFTER"] == "3")
        headers["Retry-after"] = "5"
        #expect(headers.fields.map(\.value) == ["5"])
    }
}
