internal import Foundation

/// Sends requests with libcurl, on a thread of its own, over connections that are kept and shared.
///
/// TLS 1.2 or later is verified always; redirects, cookies and `.netrc` are not followed, kept or read. A request is
/// sent once: where a used connection ends before any answer, the outcome is unknown, and the caller decides.
package final class HTTPClient: HTTPExchange {
    private let options: HTTPClientOptions
    private let inbox: TransferInbox

    package init(_ options: HTTPClientOptions = HTTPClientOptions()) {
        self.options = options
        let inbox = TransferInbox(options)
        self.inbox = inbox
        let thread = Thread { TransferLoop(options, inbox).run() }
        thread.name = "http"
        thread.start()
    }

    /// No call is left: each keeps the client.
    deinit { inbox.close(at: .now) }

    /// Sends one request once. Codes of failures:
    /// - not sent: `invalid-request`, `plain-http`, `queue-full`, `closed`, `timeout` (the deadline came first),
    ///   `connect-timeout`, `no-such-name`, `no-connection`, `certificate`, `tls`, `proxy-refused`;
    /// - outcome unknown: `timeout`, `cancelled`, `closed`, `connection-lost`, `truncated`, `body-too-large`,
    ///   `header-too-large`, `invalid-answer`.
    package func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        let checked = try CheckedRequest(request, options)
        let deadline = ContinuousClock.now + request.deadline
        let cancellation = Cancellation()
        let inbox = inbox
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                inbox.add(Call(checked, deadline: deadline, cancellation: cancellation, continuation: continuation))
            }
        } onCancel: {
            cancellation.cancel()
            inbox.noteCancellation()
        }
        return try result.get()
    }

    /// Takes no more requests, and returns when those under way have ended; what is left after this time is broken off.
    package func close(within time: Duration = .seconds(5)) async {
        inbox.close(at: .now + time)
        await inbox.end()
    }
}
