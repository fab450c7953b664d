internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastHTTP
internal import HoldfastJSON

/// One of AWS's calls on the wire: its request, its answer, its refusal. Knows the protocols and no service.
struct AWSWire {
    let call: CloudCall
    let model: WireModel
    let operation: WireOperation

    /// - Parameter token: gives a value for a token that makes a repeated request count once, where none is given.
    func request(_ given: JSONObject, token: () -> String) throws(WireFault) -> WireRequest {
        let parameters = try model.parameters(given, for: operation, token: token)
        var request: WireRequest
        switch call.wire {
        case .query, .ec2:
            request = try QueryWriter(call, parameters, model: model, input: operation.input).request
        case .json10, .json11:
            request = try JSONWire(model: model).request(call, parameters, input: operation.input)
        case .restXML, .restJSON:
            request = try RESTWriter.request(call, parameters, model: model, input: operation.input)
        case .arm, .google: throw WireFault("\(call.name) is no call of AWS")
        }
        request.hostPrefix = try hostPrefix(parameters)
        if let name = operation.hostMember { request.bucket = parameters[name]?.string }
        try addChecksum(to: &request)
        return request
    }

    private func hostPrefix(_ parameters: JSONObject) throws(WireFault) -> String {
        var prefix = operation.hostPrefix
        for name in CloudCall.variables(in: prefix) {
            let value = parameters[name]?.string ?? ""
            guard isHostLabel(value) else {
                throw WireFault("\(name) is \"\(value)\", which cannot begin a host's name")
            }
            prefix = prefix.replacing("{\(name)}", with: value)
        }
        return prefix
    }

    /// SHA-256, which every operation takes that takes a checksum at all, and which is at hand.
    private func addChecksum(to request: inout WireRequest) throws(WireFault) {
        guard let header = operation.checksumHeader else { return }
        if !header.isEmpty {
            let algorithm = request.headers[header] ?? "SHA256"
            guard algorithm == "SHA256" else { throw WireFault("\(header) can only be SHA256, not \(algorithm)") }
            request.headers[header] = algorithm
        }
        request.headers["x-amz-checksum-sha256"] = base64Text(sha256(request.body).bytes)
    }

    // MARK: Answers

    /// The answer's body is bytes and no document.
    var answersWithBytes: Bool {
        guard let output = operation.output, let name = output.payload else { return false }
        return model.shape(of: output)?.member(name)?.kind == .blob
    }

    /// The answer in the shape of the API, as SDKs show it.
    func answer(_ response: HTTPResponse) throws(WireFault) -> JSON {
        guard let output = operation.output else { return .object(JSONObject()) }
        switch call.wire {
        case .query, .ec2:
            var root = try xml(response.body)
            if let wrapper = operation.resultWrapper {
                guard let inner = root.child(wrapper) else { throw WireFault("the answer has no \(wrapper)") }
                root = inner
            }
            return try XMLAnswer(model: model).value([root], as: output)
        case .json10, .json11: return try JSONWire(model: model).value(try jsonBody(response.body), as: output)
        case .restXML, .restJSON:
            return .object(try RESTAnswer(model: model, isXML: call.wire == .restXML).value(response, as: output))
        case .arm, .google: throw WireFault("\(call.name) is no call of AWS")
        }
    }
}

/// What a cloud says when it refuses.
struct WireRefusal: Sendable, Hashable {
    /// `NoSuchBucketPolicy`; the status where the answer has none.
    var code: String
    var message: String
    /// Where the bucket lies that was looked for in another region.
    var region: String?
}

extension AWSWire {
    /// Whether an answer that says 200 is a refusal: S3 begins to answer before it knows.
    func isRefusal(_ response: HTTPResponse) -> Bool {
        if response.status >= 300 { return true }
        guard call.wire == .restXML, !isBodyOpaque, response.body.count < 4096,
            response.body.first == UInt8(ascii: "<")
        else { return false }
        return (try? XMLReader.read(response.body))?.name == "Error"
    }

    /// The body is a member's bytes as they are, whatever they look like.
    private var isBodyOpaque: Bool {
        guard let output = operation.output, let name = output.payload,
            let payload = model.shape(of: output)?.member(name)
        else { return false }
        return model.shape(of: payload) == nil
    }

    func refusal(_ response: HTTPResponse) -> WireRefusal {
        let isXML = [.query, .ec2, .restXML].contains(call.wire)
        var refusal = isXML ? AWSWire.xmlRefusal(response) : AWSWire.jsonRefusal(response)
        // Services that once spoke the query protocol give its code here: `AWS.SimpleQueueService.NonExistentQueue;Sender`.
        if let code = response.headers["x-amzn-query-error"]?.split(separator: ";").first {
            refusal.code = String(code)
        }
        if refusal.code.isEmpty { refusal.code = String(response.status) }
        refusal.region = response.headers["x-amz-bucket-region"] ?? refusal.region
        return refusal
    }

    /// What something between us and the service says: a proxy, a load balancer.
    private static func unreadable(_ response: HTTPResponse) -> WireRefusal {
        WireRefusal(code: "", message: String(decoding: response.body.prefix(1000), as: UTF8.self))
    }

    /// `<Error>`, also within `<ErrorResponse>`, or `<Response><Errors>`.
    private static func xmlRefusal(_ response: HTTPResponse) -> WireRefusal {
        guard let root = try? XMLReader.read(response.body) else { return unreadable(response) }
        let error = root.name == "Error" ? root : root.child("Error") ?? root.child("Errors")?.child("Error")
        let region = error?.child("Region")?.text ?? ""
        return WireRefusal(
            code: error?.child("Code")?.text ?? "", message: error?.child("Message")?.text ?? "",
            region: region.isEmpty ? nil : region)
    }

    /// `{"__type": "com.amazonaws.kms#NotFoundException", "message": …}`, or with the code in a header.
    private static func jsonRefusal(_ response: HTTPResponse) -> WireRefusal {
        guard let body = try? jsonBody(response.body) else { return unreadable(response) }
        let code =
            response.headers["x-amzn-errortype"] ?? body["__type"]?.string ?? body["code"]?.string
            ?? body["Code"]?.string ?? ""
        let short = code.split(separator: ":").first?.split(separator: "#").last
        let message = body["message"]?.string ?? body["Message"]?.string ?? ""
        return WireRefusal(code: short.map(String.init) ?? "", message: message)
    }
}

/// One label of a host's name, of the letters that names of regions, accounts and buckets have.
func isHostLabel(_ text: String) -> Bool {
    let edges = [text.utf8.first, text.utf8.last].compactMap { $0 }
    return (1...63).contains(text.utf8.count) && !edges.contains(UInt8(ascii: "-"))
        && text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
        }
}
