package import HoldfastCrypto
package import HoldfastJSON

/// A signed JSON Web Token in its compact form (RFC 7515, section 7.1).
/// - Parameter header: members beside `alg` and `typ`, which are added: `kid`, `x5t#S256`.
package func signedWebToken(
    header: JSONObject, claims: JSONObject, key: borrowing SigningKey, algorithm: SigningKey.Algorithm
) throws(CryptoFailure) -> Secret {
    var whole = header
    whole["alg"] = .string(algorithm.rawValue)
    whole["typ"] = "JWT"
    let parts = [whole, claims].map { base64URLText(JSON.object($0).canonicalBytes) }
    let signed = parts.joined(separator: ".")
    let signature = try key.sign(Array(signed.utf8), by: algorithm)
    return Secret("\(signed).\(base64URLText(signature))")
}
