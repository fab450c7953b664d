internal import Hummingbird
internal import JWTKit

/// What people and machines reach over HTTP.
package struct Server: Sendable {
    package init() {}
}
