internal import HoldfastCore
internal import HoldfastHTTP
internal import HoldfastJSON

/// Calls of Azure's Resource Manager and of Google's REST APIs, which the catalog's request line describes wholly:
/// `PATCH /subscriptions/{subscriptionId}/…?api-version=2023-05-01`, `GET https://compute.googleapis.com/…/{project}`.
///
/// Of the parameters, those in braces stand in the path (`{+resource}` with its slashes), `body` is the body as JSON,
/// `ifMatch` the precondition in `If-Match`, and all others are the query.
struct RequestLine {
    let call: CloudCall

    func request(_ parameters: JSONObject, endpoints: Endpoints) throws(WireFault) -> (WireRequest, URL: String) {
        let parts = call.request.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw WireFault("its request is \"\(call.request)\", without method and path") }
        var request = WireRequest()
        request.method = parts[0]
        var rest = parameters
        let (base, target) = try place(parts[1], endpoints)
        if call.isLink {
            // It is encoded as its server wants it back.
            request.path = String(target.prefix { $0 != "#" }).percentEncoded(keeping: "%/?&=+:;,@!$'()*[]")
        } else {
            let halves = target.split(separator: "?", maxSplits: 1).map(String.init)
            request.query = URLQueryText(halves.count > 1 ? halves[1] : "").items
            request.path = try path(halves[0], taking: &rest)
        }
        request.headers["Accept"] = "application/json"
        if let body = rest["body"], !body.isNull {
            request.body = body.canonicalBytes
            request.headers["Content-Type"] = "application/json"
        }
        rest["body"] = nil
        if let tag = rest["ifMatch"]?.scalarText {
            request.headers["If-Match"] = try headerValue(tag, of: "ifMatch")
        }
        rest["ifMatch"] = nil
        for item in rest.members { try addQuery(item.value, named: item.name, to: &request) }
        return (request, base + request.target)
    }

    /// Where the call goes, and the path and query of its template.
    private func place(_ target: String, _ endpoints: Endpoints) throws(WireFault) -> (base: String, path: String) {
        guard let separator = target.firstRange(of: "://") else {
            guard call.wire == .arm else { throw WireFault("its request names no host") }
            return (endpoints.azure, target)
        }
        let afterScheme = target[separator.upperBound...]
        let host = String(afterScheme.prefix { $0 != "/" })
        let base = String(target[..<separator.upperBound]) + host
        let path = String(afterScheme.dropFirst(host.count))
        if call.wire == .arm {
            // A link from an answer: it leads nowhere but where the first call went, for our token goes with it.
            guard base.lowercased() == endpoints.azure.lowercased() else {
                throw WireFault("\"\(host)\" is not where Azure's calls go (\(endpoints.azure))")
            }
            return (endpoints.azure, path)
        }
        return (endpoints.google[host] ?? endpoints.google[""] ?? base, path)
    }

    private func path(_ template: String, taking parameters: inout JSONObject) throws(WireFault) -> String {
        var path = ""
        var rest = template[...]
        let given = parameters
        while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
            path += rest[..<start]
            var name = String(rest[rest.index(after: start)..<end])
            let isGreedy = name.hasPrefix("+")
            if isGreedy { name.removeFirst() }
            guard let value = given[name]?.scalarText else {
                throw WireFault("\"\(name)\" is missing, which its path needs")
            }
            // All that is reserved but what would end the path.
            path += try pathLabel(value, of: name, isGreedy: isGreedy, keeping: ":@!$&'()*+,;=")
            parameters[name] = nil
            rest = rest[rest.index(after: end)...]
        }
        return path + rest
    }

    private func addQuery(_ value: JSON, named name: String, to request: inout WireRequest) throws(WireFault) {
        if value.isNull { return }
        for item in value.array ?? [value] {
            guard let text = item.scalarText else {
                throw WireFault("\"\(name)\" stands in the query, where \(item.kindName) cannot")
            }
            request.query.append((name, text))
        }
    }
}

extension CloudCall {
    /// The request is one that an answer gave whole, to be sent as it is.
    fileprivate var isLink: Bool { wire == .arm && request.contains("://") }

    /// What an answer says to ask next: its URL. ``RequestLine`` lets it lead to no other host.
    func following(_ link: String) -> CloudCall {
        var next = self
        next.request = "GET \(link)"
        next.isIdempotent = true
        return next
    }
}

extension RequestLine {
    /// `{"error": {"code": "ResourceNotFound", …}}`; some services leave the outer map out.
    static func azureRefusal(_ response: HTTPResponse) -> WireRefusal {
        let body = (try? JSON.parse(response.body)) ?? .null
        let error = body["error"] ?? body["odata.error"] ?? body
        let message = error["message"]?.string ?? error["message"]?["value"]?.string ?? ""
        let code = error["code"]?.string ?? body["error"]?.string ?? ""
        return WireRefusal(code: code.isEmpty ? String(response.status) : code, message: message)
    }

    /// The reason of the first error (`notFound`), else the status of the newer services (`NOT_FOUND`).
    static func googleRefusal(_ response: HTTPResponse) -> WireRefusal {
        let error = ((try? JSON.parse(response.body)) ?? .null)["error"]
        let reason = error?["errors"]?.array?.first?["reason"]?.string ?? error?["status"]?.string ?? error?.string
        return WireRefusal(code: reason ?? String(response.status), message: error?["message"]?.string ?? "")
    }
}
