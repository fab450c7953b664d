import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@Suite("Keys and certificates", .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
struct KeyTests {
    /// Keys made by another library, once for all tests.
    static let made: JSON? = Oracle.python == nil ? nil : try? Oracle.lines("keys.py", ["make"]).first

    static func text(_ name: String) throws -> String { try #require(made?[name]?.string) }

    @Test("RS256 gives the bytes that another library gives, from PKCS #8 and PKCS #1", arguments: ["rsa", "rsa_old"])
    func rs256(name: String) throws {
        let key = try SigningKey(pem: Secret(Self.text(name)))
        let signature = try key.sign(Array(Self.text("message").utf8), by: .rs256)
        #expect(base64URLText(signature) == (try Self.text("rs256")))
    }

    @Test("Another library verifies what RS256, PS256, ES256 and EdDSA sign, and refuses it over other bytes")
    func verified() throws {
        let folder = try TemporaryFolder()
        var lines: [String] = []
        for (name, algorithm) in [
            ("rsa", SigningKey.Algorithm.rs256), ("rsa_old", .ps256), ("p256", .es256), ("p256_old", .es256),
            ("ed25519", .edDSA),
        ] {
            let pem = try Self.text(name)
            let key = try SigningKey(pem: Secret(pem))
            // Several, since one ECDSA signature in 256 has a short half.
            for round in 0..<(algorithm == .es256 ? 600 : 2) {
                let message = "message \(round)"
                let signature = base64URLText(try key.sign(Array(message.utf8), by: algorithm))
                for said in [message, message + "!"] where said == message || round < 2 {
                    let line: JSON = [
                        "algorithm": .string(algorithm.rawValue), "pem": .string(pem), "message": .string(said),
                        "signature": .string(signature),
                    ]
                    lines.append(line.canonicalText)
                }
            }
        }
        let file = try folder.write("signatures", lines.joined(separator: "\n"))
        let verdicts = try Oracle.lines("keys.py", ["verify", file]).map { $0["valid"]?.bool }
        let expected = lines.map { !$0.contains("!\"") }
        #expect(verdicts == expected)
        #expect(expected.contains(false))
    }

    @Test("The thumbprints of a certificate are those of another library, also with the key in the same file")
    func thumbprints() throws {
        for text in [try Self.text("certificate"), try Self.text("rsa") + (try Self.text("certificate"))] {
            let prints = try CertificateThumbprints(pem: Secret(text))
            #expect(base64URLText(prints.sha1) == (try Self.text("sha1")))
            #expect(base64URLText(prints.sha256) == (try Self.text("sha256")))
        }
    }

    @Test("A key is found beside its certificate, in either order")
    func keyBesideCertificate() throws {
        let (key, certificate) = (try Self.text("rsa"), try Self.text("certificate"))
        for text in [key + certificate, certificate + key] {
            #expect(try SigningKey(pem: Secret(text)).algorithms == [.rs256, .ps256])
        }
    }

    @Test("A key with a passphrase is refused with what to do", arguments: ["rsa_locked", "rsa_old_locked"])
    func encrypted(name: String) throws {
        let failure = #expect(throws: CryptoFailure.self) { _ = try SigningKey(pem: Secret(Self.text(name))) }
        #expect(failure?.code == .encrypted)
        #expect(failure?.message.contains("openssl pkey") == true)
    }

    @Test("What holds no key or no certificate is refused without showing it")
    func noKey() throws {
        let text = Secret("-----BEGIN PRIVATE KEY-----\nGARBAGE\n-----END PRIVATE KEY-----\n")
        let key = #expect(throws: CryptoFailure.self) { _ = try SigningKey(pem: text) }
        #expect(key?.code == .noKey)
        let certificate = #expect(throws: CryptoFailure.self) { _ = try CertificateThumbprints(pem: text) }
        #expect(certificate?.code == .noCertificate)
        #expect("\(key as Any) \(certificate as Any)".contains("GARBAGE") == false)
    }

    @Test("A key signs only what its kind can")
    func wrongKind() throws {
        for (name, algorithm) in [("rsa", SigningKey.Algorithm.es256), ("p256", .rs256), ("p384", .es256)] {
            let key = try SigningKey(pem: Secret(Self.text(name)))
            let failure = #expect(throws: CryptoFailure.self) { _ = try key.sign([1], by: algorithm) }
            #expect(failure?.code == .wrongKind)
        }
    }
}

@Suite("Secrets and their spellings")
struct SecretTests {
    struct Holder {
        var name = "n"
        var secret = Secret("hunter2-hunter2")
    }

    @Test("A secret is not seen in descriptions, dumps, mirrors or what holds it")
    func hidden() {
        var dumped = ""
        dump(Holder(), to: &dumped)
        dump(["k": Holder().secret], to: &dumped)
        let shown = [
            "\(Holder().secret)", String(reflecting: Holder().secret), "\(Holder())", String(reflecting: Holder()),
            dumped,
            "\(Optional(Holder().secret) as Any)", "\([Holder().secret])", String(describing: ["a": Holder().secret]),
            "\(Mirror(reflecting: Holder().secret).children.map { $0 })",
        ]
        for text in shown { #expect(!text.contains("hunter2"), "\(text.count) characters show it") }
    }

    @Test("Comparing in constant time compares")
    func constantTime() {
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
        #expect(constantTimeEqual([], []))
        #expect(Secret("a") == Secret("a") && Secret("a") != Secret("b"))
    }

    @Test(
        "Base64 is spelled as RFC 4648 spells it",
        arguments: [
            ("", "", ""), ("f", "Zg==", "Zg"), ("fo", "Zm8=", "Zm8"), ("foo", "Zm9v", "Zm9v"),
            ("foobar", "Zm9vYmFy", "Zm9vYmFy"),
            ("???>>>", "Pz8/Pj4+", "Pz8_Pj4-"),
        ])
    func base64(text: String, standard: String, url: String) {
        #expect(base64Text(text.utf8) == standard)
        #expect(base64URLText(text.utf8) == url)
    }

    @Test("A form's fields are encoded, whatever is in them")
    func form() {
        #expect(formBody([("a", "x y&z=+/ä"), ("b", "")]) == Array("a=x%20y%26z%3D%2B%2F%C3%A4&b=".utf8))
    }

    @Test("Dates of HTTP are read, and nothing else is")
    func dates() {
        #expect(seconds(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(seconds(httpDate: "Thu, 29 Feb 2024 00:00:00 GMT") == 1_709_164_800)
        #expect(seconds(httpDate: "Sunday, 06-Nov-94 08:49:37 GMT") == 784_111_777)
        for text in ["", "yesterday", "1994", "Sun, 06 Foo 1994 08:49:37 GMT"] {
            #expect(seconds(httpDate: text) == nil, "\(text)")
        }
    }
}
