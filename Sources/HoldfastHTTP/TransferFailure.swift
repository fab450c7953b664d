internal import CCurl
internal import Glibc

/// Why the client itself ends a call before its answer.
enum EndReason {
    case deadline, cancelled, closing
}

extension Transfer {
    /// What libcurl's code means for the call. Messages have libcurl's fixed texts, or details that are known to hold
    /// nothing but names and numbers.
    func failure(_ code: CURLcode) -> HTTPFailure {
        if !mayBeSent { return notSent(code) }
        let (word, text) = afterSending(code)
        return .unknownOutcome(code: word, message: "\(call.request.name): \(text); it may have been acted on")
    }

    /// What it means for the call that the client breaks it off.
    func failure(_ reason: EndReason) -> HTTPFailure {
        guard mayBeSent else { return call.failureBeforeSending(reason, doing: "connecting") }
        let (word, text) =
            switch reason {
            case .deadline: ("timeout", "sent, but no whole answer within \(call.request.deadline)")
            case .cancelled: ("cancelled", "cancelled after it was sent")
            case .closing: ("closed", "broken off after it was sent, as the client was closed")
            }
        return .unknownOutcome(code: word, message: "\(call.request.name): \(text); it may have been acted on")
    }

    private func notSent(_ code: CURLcode) -> HTTPFailure {
        let (word, text) = beforeSending(code)
        return .notSent(code: word, message: "\(call.request.name): not sent: \(text)")
    }

    private func beforeSending(_ code: CURLcode) -> (word: String, text: String) {
        let host = call.request.target.host
        if case let status = easy.get(CURLINFO_HTTP_CONNECTCODE), status >= 300 {
            let hint = status == 407 ? "; it wants a user and password, or others" : ""
            return ("proxy-refused", "the proxy answered \(status) when asked for \(host)\(hint)")
        }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: return ("no-such-name", "the name \(host) cannot be resolved")
        case CURLE_COULDNT_RESOLVE_PROXY: return ("no-such-name", "the proxy's name cannot be resolved")
        case CURLE_COULDNT_CONNECT:
            let number = Int32(clamping: easy.get(CURLINFO_OS_ERRNO))
            let reason = number == 0 ? CurlError(code: code).text : String(cString: strerror(number))
            return ("no-connection", "no connection to \(host) or to the proxy before it: \(reason)")
        case CURLE_OPERATION_TIMEDOUT:
            return ("connect-timeout", "no connection to \(host) in time, with TLS and any proxy")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CACERT_BADFILE:
            return ("certificate", easy.detail)
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_CERTPROBLEM: return ("tls", easy.detail)
        case CURLE_PROXY: return ("proxy-refused", "the proxy and libcurl do not understand each other")
        default: return ("no-connection", "no connection to \(host): \(CurlError(code: code).text)")
        }
    }

    private func afterSending(_ code: CURLcode) -> (word: String, text: String) {
        switch stop {
        case .headerTooLarge: return ("header-too-large", "the answer's header is longer than the client takes")
        case .bodyTooLarge:
            return ("body-too-large", "the answer's body is longer than \(call.request.bodyLimit) bytes")
        case .wouldRepeat: return ("connection-lost", "the connection ended before any answer")
        case nil: break
        }
        switch code {
        case CURLE_GOT_NOTHING: return ("connection-lost", "the connection ended before any answer")
        case CURLE_PARTIAL_FILE: return ("truncated", "the connection ended before the answer did")
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM:
            return ("connection-lost", "the connection failed: \(CurlError(code: code).text)")
        // libcurl's word for a line longer than its buffers is that memory ran out.
        case CURLE_OUT_OF_MEMORY: return ("header-too-large", "a line of the answer's header is too long")
        default: return ("invalid-answer", "the answer cannot be read: \(CurlError(code: code).text)")
        }
    }
}

extension Call {
    /// What it means for a call of which nothing was sent that the client ends it.
    func failureBeforeSending(_ reason: EndReason, doing what: String) -> HTTPFailure {
        switch reason {
        case .deadline:
            let message = "\(request.name): not sent: still \(what) after \(request.deadline), its deadline"
            return .notSent(code: "timeout", message: message)
        case .cancelled: return .cancelled
        case .closing: return .notSent(code: "closed", message: "\(request.name): not sent: the client is closed")
        }
    }
}
