/// A set of whole numbers, kept as ranges: addresses, ports.
package struct Intervals<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable, Hashable {
    /// Sorted, disjoint and never adjacent, so that equal sets have equal ranges.
    package private(set) var ranges: [ClosedRange<Bound>]

    package init() { ranges = [] }
    package init(_ range: ClosedRange<Bound>) { ranges = [range] }

    /// Ranges in any order; they may overlap.
    package init(_ ranges: [ClosedRange<Bound>]) {
        var merged: [ClosedRange<Bound>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    package static var everything: Intervals { Intervals(Bound.min...Bound.max) }

    package var isEmpty: Bool { ranges.isEmpty }
    package var isEverything: Bool { ranges == [Bound.min...Bound.max] }

    /// How many numbers are in the set; of the whole of 128 bits one less than there are.
    package var count: UInt128 {
        ranges.reduce(0) { sum, range in
            let (size, overflow) = UInt128(range.upperBound - range.lowerBound).addingReportingOverflow(1)
            return sum + (overflow ? .max : size)
        }
    }

    package func contains(_ value: Bound) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= value
    }

    package func union(_ other: Intervals) -> Intervals {
        if isEmpty || other.isEverything { return other }
        if other.isEmpty || isEverything { return self }
        return Intervals(ranges + other.ranges)
    }

    package func intersection(_ other: Intervals) -> Intervals {
        var result = Intervals()
        var (i, j) = (0, 0)
        while i < ranges.count, j < other.ranges.count {
            let low = max(ranges[i].lowerBound, other.ranges[j].lowerBound)
            let high = min(ranges[i].upperBound, other.ranges[j].upperBound)
            if low <= high { result.ranges.append(low...high) }
            if ranges[i].upperBound < other.ranges[j].upperBound { i += 1 } else { j += 1 }
        }
        return result
    }

    /// All numbers that are not in the set.
    package var complement: Intervals {
        var result = Intervals()
        var next: Bound? = .min
        for range in ranges {
            if let from = next, from < range.lowerBound { result.ranges.append(from...(range.lowerBound - 1)) }
            next = range.upperBound == .max ? nil : range.upperBound + 1
        }
        if let next { result.ranges.append(next...Bound.max) }
        return result
    }

    package func subtracting(_ other: Intervals) -> Intervals {
        isEmpty || other.isEmpty ? self : intersection(other.complement)
    }

    package func isSubset(of other: Intervals) -> Bool { subtracting(other).isEmpty }
    package func overlaps(_ other: Intervals) -> Bool { !intersection(other).isEmpty }
}
