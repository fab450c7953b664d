import HoldfastCloud
import HoldfastCore
import Testing

@Suite("Calls")
struct CallTests {
    @Test("A call reads unless it says otherwise")
    func readsByDefault() {
        #expect(CallScope(cloud: .aws, account: "012345670123").access == .read)
    }
}
