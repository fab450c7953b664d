internal import CCurl

/// One request at libcurl, and what has come of its answer. Used by the client's thread alone.
final class Transfer {
    let call: Call
    let easy: CurlEasy
    private let headerLines: CurlList
    private let headerLimit: Int

    private var headers = HTTPHeaders()
    private var headerBytes = 0
    private var isInHeader = false
    private var body: [UInt8] = []

    /// Whether libcurl had a connection ready and went on to write the request.
    private(set) var hasBegun = false
    /// Why this program broke the transfer off.
    private(set) var stop: Stop?

    enum Stop {
        case headerTooLarge, bodyTooLarge
        /// libcurl sends a request again by itself where a used connection ends before any answer, a POST as well.
        case wouldRepeat
    }

    init(_ call: Call, _ options: HTTPClientOptions) throws(CurlError) {
        self.call = call
        headerLimit = options.headerLimit
        easy = try CurlEasy()
        headerLines = try CurlList(call.request.headerLines)
        try setLimits(options)
        try setTrust(options)
        if let socket = options.socket { try easy.set(CURLOPT_UNIX_SOCKET_PATH, socket) }
        try setProxy(options.socket == nil ? options.proxy : .none)
        try setMessage()
        try setCallbacks()
    }

    private func setLimits(_ options: HTTPClientOptions) throws(CurlError) {
        let isTLS = call.request.target.scheme == "https"
        try easy.set(CURLOPT_PROTOCOLS_STR, isTLS ? "https" : "http")
        try easy.set(CURLOPT_HTTP_VERSION, Int(isTLS ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
        try easy.set(CURLOPT_FOLLOWLOCATION, 0)
        try easy.set(CURLOPT_NETRC, 0)
        try easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // Signals are the program's.
        try easy.set(CURLOPT_NOSIGNAL, 1)
        // A name's resolution cannot be stopped; without this the thread would wait for its end.
        try easy.set(CURLOPT_QUICK_EXIT, 1)
        // Zero would mean libcurl's own five minutes.
        try easy.set(CURLOPT_CONNECTTIMEOUT_MS, max(1, options.connectTimeout.milliseconds))
        try easy.set(CURLOPT_MAXAGE_CONN, max(1, Int(options.idleTime.components.seconds)))
    }

    private func setTrust(_ options: HTTPClientOptions) throws(CurlError) {
        for option in [CURLOPT_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYPEER] { try easy.set(option, 1) }
        for option in [CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYHOST] { try easy.set(option, 2) }
        for option in [CURLOPT_SSLVERSION, CURLOPT_PROXY_SSLVERSION] {
            try easy.set(option, Int(CURL_SSLVERSION_TLSv1_2))
        }
        guard let authorities = options.authorities else { return }
        for option in [CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO] { try easy.set(option, authorities) }
        // The system's folder would be trusted as well.
        for option in [CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH] { try easy.set(option, nil) }
    }

    private func setProxy(_ proxy: HTTPClientOptions.Proxy) throws(CurlError) {
        let target = call.request.target
        if target.scheme == "http", target.isLocal { return try easy.set(CURLOPT_PROXY, "") }
        switch proxy {
        case .environment: break
        case .none: try easy.set(CURLOPT_PROXY, "")
        case .address(let address, let except):
            try easy.set(CURLOPT_PROXY, address)
            try easy.set(CURLOPT_NOPROXY, except.joined(separator: ","))
        }
    }

    private func setMessage() throws(CurlError) {
        let request = call.request
        try easy.set(CURLOPT_URL, request.url)
        try easy.set(CURLOPT_PATH_AS_IS, 1)
        try easy.set(CURLOPT_HTTPHEADER, headerLines)
        if request.decodes { try easy.set(CURLOPT_ACCEPT_ENCODING, "gzip") }
        if request.method == "HEAD" {
            try easy.set(CURLOPT_NOBODY, 1)
        } else if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
            try easy.set(CURLOPT_POST, 1)
            try easy.set(CURLOPT_POSTFIELDSIZE_LARGE, size: request.body.count)
            try easy.set(CURLOPT_COPYPOSTFIELDS, copying: request.body)
        }
        if request.method != "HEAD" { try easy.set(CURLOPT_CUSTOMREQUEST, request.method) }
    }

    // MARK: - What libcurl calls

    private func setCallbacks() throws(CurlError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try easy.set(CURLOPT_HEADERDATA, pointer: context)
        try easy.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.from(context).takeHeader(line) ? size * count : 0
        }
        try easy.set(CURLOPT_WRITEDATA, pointer: context)
        try easy.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.from(context).takeBody(part) ? size * count : 0
        }
        try easy.set(CURLOPT_PREREQDATA, pointer: context)
        try easy.set { context, _, _, _, _ in
            guard let context, Transfer.from(context).begin() else { return Int32(CURL_PREREQFUNC_ABORT) }
            return Int32(CURL_PREREQFUNC_OK)
        }
    }

    /// The loop keeps the transfer for as long as libcurl has its handle.
    private static func from(_ context: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    /// Whether the request may be written: the first time, and again only where nothing of it was.
    private func begin() -> Bool {
        if mayBeSent { stop = .wouldRepeat }
        hasBegun = true
        return stop == nil
    }

    /// Every line of every header: of interim answers, of the answer, and of what follows its body.
    private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headerBytes += bytes.count
        guard headerBytes <= headerLimit else {
            stop = .headerTooLarge
            return false
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.trimmingSuffix { $0.isNewline }
        if line.hasPrefix("HTTP/") {
            headers = HTTPHeaders()
            isInHeader = true
        } else if line.isEmpty {
            isInHeader = false
        } else if isInHeader {
            headers.addLine(line)
        }
        return true
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= call.request.bodyLimit - body.count else {
            stop = .bodyTooLarge
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    // MARK: - What came of it

    /// Whether a byte of the request may have reached the server. HTTP/1.1 without TLS counts what the system took;
    /// of TLS and HTTP/2, which write ahead of what they count, nothing is sure once the request was begun.
    var mayBeSent: Bool {
        hasBegun && (call.request.target.scheme == "https" || easy.get(CURLINFO_REQUEST_SIZE) > 0)
    }

    /// Whether the answer came over HTTP/2; `nil` before there is one.
    var isHTTP2: Bool? {
        switch easy.get(CURLINFO_HTTP_VERSION) {
        case 0: nil
        case let version: version >= Int(CURL_HTTP_VERSION_2_0)
        }
    }

    /// The whole answer, once libcurl says that it has come.
    func answer() -> HTTPResponse {
        if call.request.decodes, headers["Content-Encoding"] != nil {
            // They tell of what came, and the body is what it was packed from.
            headers["Content-Encoding"] = nil
            headers["Content-Length"] = nil
        }
        return HTTPResponse(status: easy.get(CURLINFO_RESPONSE_CODE), headers: headers, body: body)
    }
}

extension HTTPHeaders {
    /// Takes a line `Name: value`, or one that goes on with the value of the line before.
    fileprivate mutating func addLine(_ line: Substring) {
        if line.first == " " || line.first == "\t" {
            return appendToLast(String(line.trimmingBlanks()))
        }
        guard let colon = line.firstIndex(of: ":") else { return }
        add(String(line[..<colon].trimmingBlanks()), String(line[line.index(after: colon)...].trimmingBlanks()))
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isTaken: (Character) -> Bool) -> SubSequence {
        guard let last = lastIndex(where: { !isTaken($0) }) else { return self[startIndex..<startIndex] }
        return self[startIndex...last]
    }

    fileprivate func trimmingBlanks() -> SubSequence {
        trimmingSuffix { $0 == " " || $0 == "\t" }.drop { $0 == " " || $0 == "\t" }
    }
}
