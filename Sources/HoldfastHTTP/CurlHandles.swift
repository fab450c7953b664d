internal import CCurl

/// What libcurl says is wrong with a call of its own functions.
struct CurlError: Error {
    var code: CURLcode
    var text: String { curl_easy_strerror(code).map { String(cString: $0) } ?? "error \(code.rawValue)" }
}

/// Owns one `CURL`: one transfer. Used by one thread at a time.
struct CurlEasy: ~Copyable {
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>

    init() throws(CurlError) {
        _ = Self.isReady
        guard let pointer = curl_easy_init() else { throw CurlError(code: CURLE_OUT_OF_MEMORY) }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        holdfast_easy_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        curl_easy_cleanup(pointer)
        errorText.deallocate()
    }

    /// Once in the process, before anything else.
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// What went wrong, in more words than the code's own. It may repeat a proxy's address with its password, so it is
    /// for codes only of which it is known what they say.
    var detail: String { String(cString: errorText) }

    func set(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try check(holdfast_easy_set_long(pointer, option, value))
    }

    func set(_ option: CURLoption, size: Int) throws(CurlError) {
        try check(holdfast_easy_set_size(pointer, option, curl_off_t(size)))
    }

    /// libcurl copies the text.
    func set(_ option: CURLoption, _ value: String?) throws(CurlError) {
        try check(holdfast_easy_set_string(pointer, option, value))
    }

    /// libcurl copies as many bytes as were set as their size before.
    func set(_ option: CURLoption, copying bytes: [UInt8]) throws(CurlError) {
        var bytes = bytes
        try check(bytes.withUnsafeMutableBytes { holdfast_easy_set_pointer(pointer, option, $0.baseAddress) })
    }

    func set(_ option: CURLoption, pointer value: UnsafeMutableRawPointer) throws(CurlError) {
        try check(holdfast_easy_set_pointer(pointer, option, value))
    }

    /// The list must live as long as the handle.
    func set(_ option: CURLoption, _ list: borrowing CurlList) throws(CurlError) {
        try check(holdfast_easy_set_list(pointer, option, list.pointer))
    }

    func set(_ option: CURLoption, receiver: curl_write_callback) throws(CurlError) {
        try check(holdfast_easy_set_receiver(pointer, option, receiver))
    }

    func set(prerequest: curl_prereq_callback) throws(CurlError) {
        try check(holdfast_easy_set_prerequest(pointer, prerequest))
    }

    func get(_ info: CURLINFO) -> Int {
        var value = 0
        holdfast_easy_get_long(pointer, info, &value)
        return value
    }

    private func check(_ code: CURLcode) throws(CurlError) {
        guard code == CURLE_OK else { throw CurlError(code: code) }
    }
}

/// Owns one `curl_slist`.
struct CurlList: ~Copyable {
    private(set) var pointer: UnsafeMutablePointer<curl_slist>?

    init(_ lines: [String]) throws(CurlError) {
        for line in lines {
            guard let longer = curl_slist_append(pointer, line) else { throw CurlError(code: CURLE_OUT_OF_MEMORY) }
            pointer = longer
        }
    }

    deinit { curl_slist_free_all(pointer) }
}

/// Owns one `CURLM`: the connections, and the transfers over them. Used by one thread, but for ``wake()``.
struct CurlMulti: ~Copyable, @unchecked Sendable {
    private let pointer: UnsafeMutableRawPointer

    init(_ options: HTTPClientOptions) {
        _ = CurlEasy.isReady
        guard let pointer = curl_multi_init() else { fatalError("libcurl: no memory for a client") }
        self.pointer = pointer
        holdfast_multi_set_long(pointer, CURLMOPT_MAX_HOST_CONNECTIONS, options.connectionsPerHost)
        holdfast_multi_set_long(pointer, CURLMOPT_MAX_TOTAL_CONNECTIONS, options.connections)
        holdfast_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, options.connections)
        holdfast_multi_set_long(pointer, CURLMOPT_MAX_CONCURRENT_STREAMS, options.streamsPerHost)
        holdfast_multi_set_long(pointer, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
    }

    deinit { curl_multi_cleanup(pointer) }

    /// Ends ``wait(_:)``, now or when it begins. Any thread may call this.
    func wake() { curl_multi_wakeup(pointer) }

    /// Until something happens on a connection, a time of libcurl's own has come, or so long.
    func wait(_ time: Duration) { curl_multi_poll(pointer, nil, 0, Int32(clamping: time.milliseconds), nil) }

    func add(_ transfer: Transfer) { curl_multi_add_handle(pointer, transfer.easy.pointer) }
    func remove(_ transfer: Transfer) { curl_multi_remove_handle(pointer, transfer.easy.pointer) }

    /// Does what can be done without waiting.
    func perform() {
        var running: Int32 = 0
        curl_multi_perform(pointer, &running)
    }

    /// A transfer that has ended, by its handle.
    func nextEnded() -> (handle: UnsafeMutableRawPointer, code: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(pointer, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            return (handle, message.pointee.data.result)
        }
        return nil
    }
}
