internal import HoldfastCore
package import HoldfastCrypto

/// Signs checkpoints, with a key that is kept outside the journal: whoever can write to the journal alone cannot make
/// one.
package struct CheckpointSigner: Sendable {
    private let pem: Secret

    /// - Parameter pem: an Ed25519, P-256 or RSA private key.
    /// - Throws: where it is none of these.
    package init(pem: Secret) throws(CryptoFailure) {
        self.pem = pem
        _ = try signature(of: [])
    }

    package func sign(_ checkpoint: AuditCheckpoint) throws(CryptoFailure) -> AuditCheckpoint {
        var signed = checkpoint
        signed.signature = try signature(of: checkpoint.signedBytes)
        return signed
    }

    private func signature(of bytes: [UInt8]) throws(CryptoFailure) -> CheckpointSignature {
        let key = try SigningKey(pem: pem)
        guard let algorithm = key.algorithms.first else {
            throw CryptoFailure(.wrongKind, "the key is none that checkpoints are signed with: Ed25519, P-256 or RSA")
        }
        return CheckpointSignature(
            algorithm: algorithm.rawValue, key: key.publicID, value: base64Text(try key.sign(bytes, by: algorithm)))
    }
}

/// Says whether checkpoints were signed by one of the keys that an auditor trusts.
package final class CheckpointKey {
    private let key: PublicKey
    package let id: String

    /// - Parameter pem: `BEGIN PUBLIC KEY`.
    package init(pem: String) throws(CryptoFailure) {
        key = try PublicKey(pem: pem)
        id = key.id
    }

    package func hasSigned(_ checkpoint: AuditCheckpoint) -> Bool {
        guard let signature = checkpoint.signature, signature.key == id,
            let algorithm = SigningKey.Algorithm(rawValue: signature.algorithm),
            let value = bytes(fromBase64: signature.value)
        else { return false }
        return key.verifies(value, of: checkpoint.signedBytes, by: algorithm)
    }
}
