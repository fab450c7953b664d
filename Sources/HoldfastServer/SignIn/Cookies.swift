internal import HTTPTypes
internal import HoldfastCore
internal import Hummingbird

/// The two cookies. Neither can be read by scripts; behind TLS neither leaves it, nor is taken by other hosts.
struct Cookies: Sendable {
    let isSecure: Bool

    private var prefix: String { isSecure ? "__Host-" : "" }

    /// The session. It comes with no request that another site began, not even a link.
    var session: String { "\(prefix)holdfast" }
    /// Ties a sign-in to the browser that began it. It must come with the provider's way back, which another site
    /// begins.
    var binding: String { "\(prefix)holdfast-sign-in" }

    func value(_ name: String, in request: Request) -> String? {
        for field in request.headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0] == name { return String(parts[1]) }
            }
        }
        return nil
    }

    func set(session id: String, lasting: Span, on response: inout Response) {
        add(session, id, "Max-Age=\(lasting.nanoseconds / 1_000_000_000); SameSite=Strict", &response)
    }

    func set(binding: String, on response: inout Response) {
        add(self.binding, binding, "Max-Age=600; SameSite=Lax", &response)
    }

    func clear(_ name: String, on response: inout Response) { add(name, "", "Max-Age=0; SameSite=Strict", &response) }

    private func add(_ name: String, _ value: String, _ rest: String, _ response: inout Response) {
        response.headers.append(
            HTTPField(
                name: .setCookie, value: "\(name)=\(value); Path=/; HttpOnly; \(rest)\(isSecure ? "; Secure" : "")"))
    }
}
