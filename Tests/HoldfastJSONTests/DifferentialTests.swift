import HoldfastJSON
import JSONFuzzing
import Testing

@Suite("Scanner against strict parser")
struct DifferentialTests {
    @Test("On spoilt texts the scanner finds what the strict parser finds, or calls them unusual")
    func spoilt() {
        var differential = Differential()
        var events = OddEvents(seed: 1)
        differential.run(200_000, from: &events)
        #expect(differential.disagreements == 0, "\(differential.reports)")
        // The generator reaches all three answers, and calling all things unusual is no way to agree.
        #expect(differential.fields > differential.inputs / 5)
        #expect(differential.refused > differential.inputs / 4)
        #expect(differential.unusual < differential.inputs / 10)
        #expect(differential.unusual > 0)
    }

    @Test(
        "On the public corpus the two agree",
        .enabled(if: ParsingCorpus.folder != nil, "HOLDFAST_TEST_DATA is not set"))
    func corpus() throws {
        var differential = Differential(paths: [["a"], ["b"], ["z"]])
        for (_, bytes) in try ParsingCorpus.texts() {
            differential.check(bytes)
            differential.check(Array(#"{"z":"#.utf8) + bytes + Array("}".utf8))
            differential.check(Array(#"{"z":[1,"#.utf8) + bytes + Array(#"],"a":1}"#.utf8))
        }
        #expect(differential.disagreements == 0, "\(differential.reports)")
        #expect(differential.fields > 150)
    }
}
