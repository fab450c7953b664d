internal import CCurl
internal import Foundation
package import HoldfastCrypto

/// Why a letter was not taken; nothing of the letter.
package struct MailFailure: Error, Sendable, CustomStringConvertible {
    package var description: String
}

/// Hands letters to an SMTP server by libcurl, one connection each, on a thread of its own. With `smtp://` the server
/// must take STARTTLS, but for one on this machine.
package struct MailClient: Sendable {
    private let url: String
    private let user: String?
    private let password: Secret?
    private let authorities: String?
    private let deadline: Duration

    /// - Parameters:
    ///   - url: `smtp://HOST:PORT` or `smtps://HOST:PORT`.
    ///   - authorities: a PEM file; `nil`: the system's.
    package init(
        url: String, user: String?, password: Secret?, authorities: String?, deadline: Duration = .seconds(30)
    ) {
        self.url = url
        self.user = user
        self.password = password
        self.authorities = authorities
        self.deadline = deadline
    }

    /// - Parameter text: lines end in CR LF.
    /// - Throws: where the server did not say that it has taken it; it may have all the same.
    package func send(from: String, to: [String], text: [UInt8]) async throws(MailFailure) {
        let result: Result<Void, MailFailure> = await withCheckedContinuation { waiting in
            // libcurl blocks here, and the cooperative threads must not.
            Thread.detachNewThread {
                waiting.resume(
                    returning: Result { () throws(MailFailure) in
                        do { try perform(from, to, text) } catch let error as CurlError {
                            throw MailFailure(description: "\(url): \(error.text)")
                        } catch let failure as MailFailure { throw failure } catch {
                            throw MailFailure(description: "\(url): \(error)")
                        }
                    })
            }
        }
        try result.get()
    }

    /// What libcurl reads a letter from.
    private final class Source {
        let bytes: [UInt8]
        var next = 0
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func fill(_ place: UnsafeMutablePointer<CChar>, _ room: Int) -> Int {
            let count = min(room, bytes.count - next)
            bytes.withUnsafeBytes { all in
                guard count > 0, let base = all.baseAddress else { return }
                UnsafeMutableRawPointer(place).copyMemory(from: base + next, byteCount: count)
            }
            next += count
            return count
        }
    }

    private func perform(_ from: String, _ to: [String], _ text: [UInt8]) throws {
        let easy = try CurlEasy()
        let recipients = try CurlList(to.map { "<\($0)>" })
        try easy.set(CURLOPT_PROTOCOLS_STR, url.hasPrefix("smtps://") ? "smtps" : "smtp")
        try easy.set(CURLOPT_URL, url)
        try easy.set(CURLOPT_PROXY, "")
        try easy.set(CURLOPT_NOSIGNAL, 1)
        try easy.set(CURLOPT_NETRC, 0)
        try easy.set(CURLOPT_TIMEOUT_MS, max(1, deadline.milliseconds))
        try easy.set(CURLOPT_USE_SSL, Int((isHere ? CURLUSESSL_TRY : CURLUSESSL_ALL).rawValue))
        try easy.set(CURLOPT_SSL_VERIFYPEER, 1)
        try easy.set(CURLOPT_SSL_VERIFYHOST, 2)
        try easy.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let authorities { try easy.set(CURLOPT_CAINFO, authorities) }
        if let user, let password {
            try easy.set(CURLOPT_USERNAME, user)
            try easy.set(CURLOPT_PASSWORD, password.revealed)
        }
        try easy.set(CURLOPT_MAIL_FROM, "<\(from)>")
        try easy.set(CURLOPT_MAIL_RCPT, recipients)
        try easy.set(CURLOPT_UPLOAD, 1)
        try easy.set(CURLOPT_INFILESIZE_LARGE, size: text.count)
        let source = Source(text)
        try easy.set(CURLOPT_READDATA, pointer: Unmanaged.passUnretained(source).toOpaque())
        try easy.set(CURLOPT_READFUNCTION) { place, size, count, context in
            guard let place, let context else { return 0 }
            return Unmanaged<Source>.fromOpaque(context).takeUnretainedValue().fill(place, size * count)
        }
        let code = withExtendedLifetime(source) { curl_easy_perform(easy.pointer) }
        guard code != CURLE_OK else { return }
        let status = easy.get(CURLINFO_RESPONSE_CODE)
        let said = status >= 400 ? "; the server answered \(status)" : ""
        throw MailFailure(description: "\(url): \(CurlError(code: code).text)\(said)")
    }

    /// Whether the server is this machine.
    private var isHere: Bool {
        ["smtp://127.0.0.1:", "smtp://localhost:", "smtp://[::1]:"].contains { url.hasPrefix($0) }
    }
}
