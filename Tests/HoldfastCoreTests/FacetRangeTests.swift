import HoldfastCore
import HoldfastJSON
import Testing

@Suite("Sets of addresses and ports")
struct FacetRangeTests {
    @Test("Set algebra on ranges equals set algebra on the numbers", arguments: 1...40)
    func algebra(seed: UInt64) {
        var random = FacetRandom(seed: seed)
        for _ in 0..<100 {
            let (a, modelA) = randomSet(&random)
            let (b, modelB) = randomSet(&random)
            #expect(numbers(a.union(b)) == modelA.union(modelB))
            #expect(numbers(a.intersection(b)) == modelA.intersection(modelB))
            #expect(numbers(a.subtracting(b)) == modelA.subtracting(modelB))
            #expect(numbers(a.complement) == Set(UInt8.min...UInt8.max).subtracting(modelA))
            #expect(a.isSubset(of: b) == modelA.isSubset(of: modelB))
            #expect(a.overlaps(b) == !modelA.isDisjoint(with: modelB))
            #expect(a.isEmpty == modelA.isEmpty)
            #expect(a.count == UInt128(modelA.count))
            #expect((a == b) == (modelA == modelB))
            let probe = UInt8.random(in: 0...255, using: &random)
            #expect(a.contains(probe) == modelA.contains(probe))
        }
    }

    private func randomSet(_ random: inout FacetRandom) -> (Intervals<UInt8>, Set<UInt8>) {
        var ranges: [ClosedRange<UInt8>] = []
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let low = UInt8.random(in: 0...255, using: &random)
            let high = random.chance(20) ? 255 : UInt8(min(255, Int(low) + Int.random(in: 0...60, using: &random)))
            ranges.append(low...high)
        }
        return (Intervals(ranges), Set(ranges.joined()))
    }

    private func numbers(_ set: Intervals<UInt8>) -> Set<UInt8> { Set(set.ranges.joined()) }

    @Test("The CIDR blocks of a set parse back to the set", arguments: 1...5)
    func blocks(seed: UInt64) throws {
        var random = FacetRandom(seed: seed)
        for _ in 0..<50 {
            var v4: [ClosedRange<UInt32>] = []
            var v6: [ClosedRange<UInt128>] = []
            for _ in 0..<3 {
                let low = UInt32.random(in: 0...UInt32.max, using: &random) >> UInt32.random(in: 0..<32, using: &random)
                v4.append(low...UInt32.random(in: low...UInt32.max, using: &random))
                let start = UInt128.random(in: 0...UInt128.max, using: &random)
                v6.append(start...(start | UInt128.max >> UInt128.random(in: 1..<128, using: &random)))
            }
            let set = IPSet(v4: Intervals(v4), v6: Intervals(v6))
            #expect(try IPSet(JSON.array(set.cidrs.map(JSON.string))) == set)
        }
    }

    @Test(
        "An address reads and prints in one canonical form",
        arguments: [
            ("10.0.0.1", "10.0.0.1"), ("::", "::"), ("::1", "::1"), ("2001:DB8::", "2001:db8::"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
            ("::ffff:10.0.0.1", "::ffff:a00:1"), ("1::", "1::"), ("0:0:0:0:0:0:0:1", "::1"),
        ])
    func address(text: String, canonical: String) throws {
        #expect(try #require(IPAddress(text)).description == canonical)
    }

    @Test(
        "What is no address is refused with what would do",
        arguments: [
            "", "10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.9-10.0.0.1",
            "10.0.0.1-::1", "::/129", "1::2::3", ":::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "fe80::1%eth0",
            "12345::", "VirtualNetwork", "a.b.c.d", "1.2.3.4::", "+1::", "10.0.0.0/255.0.0.0", "１.1.1.1",
        ])
    func noAddress(text: String) throws {
        let error = #expect(throws: RangeTextError.self) { try IPSet(text) }
        #expect(try #require(error).description.contains("“\(text)” is not an address, a CIDR block"))
    }

    @Test("Ranges, blocks with host bits and words read as sets")
    func forms() throws {
        #expect(try IPSet("10.0.0.0-10.0.0.9").cidrs == ["10.0.0.0/29", "10.0.0.8/31"])
        #expect(try IPSet("10.1.2.3/8") == IPSet("10.0.0.0/8"))
        #expect(try IPSet(" 192.0.2.7 ").cidrs == ["192.0.2.7/32"])
        #expect(try IPSet("*").cidrs == ["0.0.0.0/0", "::/0"])
        #expect(try IPSet("Any") == .everything)
        #expect(try IPSet("Internet") == .publicInternet)
        #expect(try IPSet(["0.0.0.0/1", "128.0.0.0/1"]).cidrs == ["0.0.0.0/0"])
        #expect(throws: RangeTextError.self) { try IPSet(JSON.number(JSONNumber(7))) }
    }

    @Test(
        "The internet is the internet however it is written",
        arguments: [
            ["0.0.0.0/0"], ["::/0"], ["2000::/3"], ["Internet"], ["*"], ["0.0.0.0/1", "128.0.0.0/1"],
            ["1.0.0.0-9.255.255.255", "11.0.0.0-223.255.255.255"], ["::/1"], ["2000::/4", "3000::/4"],
            ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"],
        ])
    func internet(texts: [String]) throws {
        #expect(try IPSet(JSON.array(texts.map(JSON.string))).coversInternet)
    }

    @Test(
        "What is not the internet is not",
        arguments: [
            ["10.0.0.0/8"], ["0.0.0.0/1"], ["128.0.0.0/1"], ["0.0.0.0/8", "10.0.0.0/8", "224.0.0.0/3"], ["fc00::/7"],
            ["2000::/4"], ["8000::/1"], [], ["0.0.0.0/32"], ["203.0.113.0/24", "2001:db8::/32"],
        ])
    func notInternet(texts: [String]) throws {
        #expect(try !IPSet(JSON.array(texts.map(JSON.string))).coversInternet)
    }

    @Test("The internet less a few denied networks is still the internet")
    func exceptions() throws {
        let open = IPSet.everything.subtracting(try IPSet(["1.2.3.0/24", "5.0.0.0/8", "2000::/3"]))
        #expect(open.coversInternet)
        #expect(!open.subtracting(try IPSet("0.0.0.0/2")).coversInternet)
    }

    @Test("An address outside our networks is outside, private or public")
    func outside() throws {
        let ours = try IPSet(["10.0.0.0/8", "192.0.2.0/24"])
        #expect(try !IPSet("10.1.0.0/16").reachesOutside(of: ours))
        #expect(try !IPSet(["10.1.0.0/16", "192.0.2.128/25"]).reachesOutside(of: ours))
        #expect(try IPSet("192.168.0.0/16").reachesOutside(of: ours))
        #expect(try IPSet("10.0.0.0/7").reachesOutside(of: ours))
        #expect(!IPSet().reachesOutside(of: IPSet()))
    }

    @Test("Ports read as numbers, ranges, lists and the star")
    func ports() throws {
        #expect(try PortSet("22").texts == ["22"])
        #expect(try PortSet("22-23").texts == ["22-23"])
        #expect(try PortSet("22-22").texts == ["22"])
        #expect(try PortSet("*") == .everything)
        #expect(try PortSet("443, 22,23").texts == ["22-23", "443"])
        #expect(try PortSet([22, "3389-3390", 3391]).description == "22,3389-3391")
        #expect(try PortSet("20-25").overlaps(PortSet(JSON.array([22, 3389]))))
        #expect(try !PortSet("23-25").overlaps(PortSet(JSON.array([22, 3389]))))
    }

    @Test("What is no port is refused", arguments: ["", "65536", "-1", "23-22", "ssh", "22,", "1-2-3", "+5"])
    func noPort(text: String) {
        #expect(throws: RangeTextError.self) { try PortSet(text) }
        #expect(throws: RangeTextError.self) { try PortSet(JSON.bool(true)) }
    }
}
