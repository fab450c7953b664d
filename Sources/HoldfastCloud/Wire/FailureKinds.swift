internal import HoldfastCore
internal import HoldfastHTTP

/// What kind of failure a refusal is. By the clouds' codes that mean the same in all their services; what a code means
/// for one call stands in the catalog.
enum FailureKinds {
    /// Too many calls.
    private static let throttled: Set<String> = [
        // AWS
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
        "TooManyRequestsException", "TooManyRequests", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
        "BandwidthLimitExceeded", "SlowDown", "Slow Down", "PriorRequestNotComplete", "EC2ThrottledException",
        // Google
        "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded",
        "concurrentLimitExceeded", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED",
    ]
    /// The caller is not known or not allowed, whatever the status says.
    private static let denied: Set<String> = [
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "ExpiredToken",
        "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidSignatureException",
        "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken",
        "MissingAuthenticationTokenException", "RequestExpired", "InvalidToken", "NotAuthorized",
        "AuthorizationFailed", "PERMISSION_DENIED", "UNAUTHENTICATED",
    ]
    /// Not now: a later attempt may do.
    private static let unavailable: Set<String> = [
        "InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable", "RequestTimeout",
        "RequestTimeoutException", "Unavailable",
    ]

    static func isThrottling(_ status: Int, _ code: String, _ response: HTTPResponse) -> Bool {
        status == 429 || throttled.contains(code) || code.hasPrefix("Throttling")
            || (status == 503 && response.headers["Retry-After"] != nil)
    }

    static func kind(of refusal: WireRefusal, in response: HTTPResponse) -> CallFailure.Kind {
        let status = response.status
        if isThrottling(status, refusal.code, response) { return .throttled }
        if status == 401 || status == 403 || denied.contains(refusal.code) { return .denied }
        // A refusal under 200 is S3's: it began to answer before it knew.
        if status >= 500 || status == 408 || unavailable.contains(refusal.code) { return .unavailable }
        return .refused
    }
}
