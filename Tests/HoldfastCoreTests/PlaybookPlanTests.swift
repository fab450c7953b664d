import HoldfastCore
import HoldfastCrypto
import HoldfastJSON
import Testing

@Suite struct PlaybookPlanTests {
    @Test("A plan holds the exact call, how it is undone and when it is done")
    func planIsExact() throws {
        let outcome = Workshop.locking.plan(Workshop.request())
        let plan = try #require(outcome.plan)
        #expect(outcome.calls == [#"shop.LockStore {"Locked":true,"StoreName":"corner"}"#])
        #expect(plan.undo == .exact)
        #expect(plan.warnings == [])
        #expect(plan.steps[0].call.permission == "shop:LockStore")
        #expect(plan.steps[0].writes == [PropertyPath(names: "Locked")])
        #expect(plan.steps[0].verify == "shop/locked passes when the resource is read again")
    }

    @Test("References keep their types, and two dollars begin a plain one")
    func referencesKeepTypes() {
        let playbook = Workshop.playbook(
            """
            steps:
              - do: shop.PutWindow
                with:
                  StoreName: $resource.StoreName
                  Window:
                    A: $resource.Locked
                    B: $before.Window
                    C: "$resource.Doors[].Width"
                    D: $$5
                    E: {$join: [$resource.account, ":", $resource.region]}
                    F: {$json: $resource.Window}
                    G: {$json: text}
                undo: restore
            """)
        #expect(
            playbook.plan(Workshop.request()).calls == [
                #"shop.PutWindow {"StoreName":"corner","Window":{"A":false,"B":{"Blind":"down","Open":true},"#
                    + #""C":[90,200,300],"D":"$5","E":"111122223333:eu-west-1","#
                    + #""F":"{\"Blind\":\"down\",\"Open\":true}","G":"text"}}"#
            ])
    }

    @Test(
        "A call that needs what is not known or not there becomes a proposal",
        arguments: [
            ("Revision", "proposal: $resource.Revision is not known: never read"),
            ("", "proposal: shop.LockStore needs $resource.Revision, which is not there"),
        ])
    func holesAreNeverPlanned(unknown: String, reason: String) {
        let playbook = Workshop.playbook(
            """
            steps:
              - do: shop.LockStore
                with: {StoreName: $resource.Revision, Locked: true}
                undo: restore
            """)
        let request =
            unknown.isEmpty
            ? Workshop.request(with: ["Revision": .null]) : Workshop.request(without: [unknown])
        #expect(playbook.plan(request).summary == reason)
    }

    @Test("An optional parameter is left out where what it holds is not there, never where it is not known")
    func optionalParameters() {
        let playbook = Workshop.playbook(
            """
            steps:
              - do: shop.LockStore
                with: {StoreName: $resource.StoreName, Locked?: $resource.Window.Tint}
                undo: restore
            """.replacingFirst("Window.Tint", with: "Window.Blind"))
        #expect(
            playbook.plan(Workshop.request(with: ["Window": ["Open": true]])).calls == [
                #"shop.LockStore {"StoreName":"corner"}"#
            ])
        let outcome = playbook.plan(Workshop.request(without: ["Window"]))
        #expect(outcome.summary == "proposal: $resource.Window.Blind is not known: never read")
    }

    static let closing = """
        steps:
          - for-each: offending
            do: shop.CloseDoor
            with: {StoreName: $resource.StoreName, DoorIds: [$item.id]}
            undo:
              do: shop.OpenDoor
              with: {StoreName: $resource.StoreName, Door: $item.before, Width: $item.before.Width}
              grade: equivalent
              loses: the door's id
        """

    @Test("A step for each offending element touches these and no others")
    func loopTouchesOffending() throws {
        let playbook = Workshop.playbook(remedies: "shop/doors-narrow", Self.closing)
        let outcome = playbook.plan(Workshop.request("shop/doors-narrow"))
        let plan = try #require(outcome.plan)
        #expect(
            outcome.calls == [
                #"shop.CloseDoor {"DoorIds":["d-2"],"StoreName":"corner"}"#,
                #"shop.CloseDoor {"DoorIds":["d-3"],"StoreName":"corner"}"#,
            ])
        #expect(plan.steps.map(\.item) == ["Doors[1]", "Doors[2]"])
        #expect(plan.undo == .equivalent(loses: "the door's id"))
        #expect(plan.warnings == [])
    }

    @Test("An element comes to a call in the shape that the call takes")
    func elementsAreMapped() throws {
        let playbook = Workshop.playbook(remedies: "shop/doors-narrow", Self.closing)
        let plan = try #require(playbook.plan(Workshop.request("shop/doors-narrow")).plan)
        guard case .call(let call) = plan.steps[0].undo.means else {
            Issue.record("the undo is no call")
            return
        }
        #expect(
            JSON.object(call.parameters).canonicalText == #"{"Door":{"Wide":200},"StoreName":"corner","Width":200}"#)
    }

    @Test("An offending element is found by its key wherever it now stands")
    func elementsAreFoundByKey() {
        let playbook = Workshop.playbook(remedies: "shop/doors-narrow", Self.closing)
        var request = Workshop.request("shop/doors-narrow")
        let moved = Workshop.request(
            "shop/doors-narrow", with: ["Doors": [["DoorId": "d-3", "Width": 300], ["DoorId": "d-2", "Width": 200]]])
        request.document = moved.document
        #expect(
            playbook.plan(request).calls == [
                #"shop.CloseDoor {"DoorIds":["d-2"],"StoreName":"corner"}"#,
                #"shop.CloseDoor {"DoorIds":["d-3"],"StoreName":"corner"}"#,
            ])
        request.document = Workshop.request(with: ["Doors": [["DoorId": "d-2", "Width": 200]]]).document
        #expect(playbook.plan(request).summary == "proposal: Doors no longer has the element d-3 that offends")
    }

    @Test("More elements than the bound are a person's to decide, with the plan")
    func loopIsBounded() throws {
        let bounded = Self.closing.replacingFirst(
            "for-each: offending", with: "for-each: {of: offending, in: Doors, at-most: 1}")
        let outcome = Workshop.playbook(remedies: "shop/doors-narrow", bounded).plan(
            Workshop.request("shop/doors-narrow"))
        #expect(
            outcome.summary == "proposal: shop.CloseDoor would be made 2 times; a does it at most 1 times on its own")
        #expect(outcome.plan?.steps.count == 2)
    }

    @Test("A step whose condition does not hold is left out, and one that cannot be told stops the plan")
    func conditions() {
        let playbook = Workshop.playbook(
            """
            steps:
              - when: {Window.Open: true}
                do: shop.PutWindow
                with: {StoreName: $resource.StoreName, Window: {Open: false}}
                undo: restore
              - when: {Revision: {starts-with: r}, $resource.Locked: {not: {in: [true]}}}
                do: shop.LockStore
                with: {StoreName: $resource.StoreName, Locked: true}
                undo: restore
            """)
        func names(_ changes: [String: JSON]) -> [String] {
            playbook.plan(Workshop.request(with: changes)).plan?.steps.map(\.call.name) ?? []
        }
        #expect(names([:]) == ["shop.PutWindow", "shop.LockStore"])
        #expect(names(["Window.Open": false]) == ["shop.LockStore"])
        let nothing = playbook.plan(Workshop.request(with: ["Window.Open": false, "Locked": true]))
        #expect(
            nothing.summary
                == "proposal: no step of a applies: shop.PutWindow is done only where Window.Open is true; "
                + "shop.LockStore is done only where $resource.Locked is not one of true")
        let unknown = playbook.plan(Workshop.request(without: ["Window"]))
        #expect(unknown.summary.hasPrefix("proposal: whether shop.PutWindow is needed cannot be told"))
    }

    @Test("The first element that passes the rule is chosen, in the order that was asked for")
    func choices() {
        let playbook = Workshop.playbook(
            remedies: "shop/plan-good",
            """
            choose:
              plan:
                from: $resource.Plans
                where: {Current: false}
                order-by: -Made
                first-that: passes-the-rule
                in-place: {Plan: Text}
            steps:
              - do: shop.UsePlan
                with: {StoreName: $resource.StoreName, PlanId: $chosen.plan.PlanId}
                undo: restore
            """)
        func plans(_ texts: [(String, String, Bool)]) -> PlanOutcome {
            let plans = texts.enumerated().map { index, plan -> JSON in
                [
                    "PlanId": .string("p\(index)"), "Made": .string(plan.0), "Text": .string(plan.1),
                    "Current": .bool(plan.2),
                ]
            }
            return playbook.plan(Workshop.request("shop/plan-good", with: ["Plan": "bad", "Plans": .array(plans)]))
        }
        let found = plans([
            ("2026-01", "good a", false), ("2026-03", "good b", true), ("2026-02", "good c", false),
            ("2026-04", "bad", false),
        ])
        #expect(found.calls == [#"shop.UsePlan {"PlanId":"p2","StoreName":"corner"}"#])
        #expect(
            plans([("2026-01", "bad", false)]).summary == "proposal: of 1 in Plans there is none that passes the rule")
    }

    @Test("What is gone is made again from what it last was, unless that is unknown or too old")
    func recreation() {
        let playbook = Workshop.playbook(
            """
            needs: {last-observed: Shop::Alarm, at-most: 30d, else: propose}
            steps:
              - do: shop.CreateAlarm
                with: {AlarmName: $last.AlarmName, Tone: $last.Tone}
                undo: {do: shop.DeleteAlarm, with: {AlarmId: $result.AlarmId}, grade: exact}
            """)
        var request = Workshop.request()
        #expect(playbook.plan(request).summary.hasPrefix("proposal: no state of Shop::Alarm was ever observed"))
        let state = StateValue(snapshot: ["AlarmName": "bell", "Tone": "loud"])
        request.lastObserved = .init(state: state, at: Workshop.now - Span(seconds: 86_400))
        #expect(playbook.plan(request).calls == [#"shop.CreateAlarm {"AlarmName":"bell","Tone":"loud"}"#])
        request.lastObserved = .init(state: state, at: Workshop.now - Span(seconds: 31 * 86_400))
        #expect(
            playbook.plan(request).summary
                == "proposal: Shop::Alarm was last observed at 2025-12-01T00:00:00Z, longer ago than 30d")
    }

    @Test("Where a list offends as a whole, the step is for each of its elements")
    func wholeLists() {
        let playbook = Workshop.playbook(
            remedies: "shop/doors-narrow",
            Self.closing.replacingFirst("for-each: offending", with: "for-each: {of: offending, in: Doors}"))
        var request = Workshop.request("shop/doors-narrow")
        request.offending = [Offending(path: PropertyPath(names: "Doors"), actual: .null, expected: "empty")]
        #expect(playbook.plan(request).plan?.steps.map(\.item) == ["Doors[0]", "Doors[1]", "Doors[2]"])
        request.offending = []
        #expect(playbook.plan(request).summary == "nothing: shop.CloseDoor: there is no element to do it for")
    }

    @Test("An element that offends and that no step is about is said")
    func untouchedIsSaid() throws {
        let playbook = Workshop.playbook(
            remedies: "shop/doors-narrow",
            Self.closing.replacingFirst("for-each: offending", with: "for-each: {of: offending, in: Doors}"))
        var request = Workshop.request("shop/doors-narrow")
        request.offending.append(
            Offending(path: PropertyPath(names: "Window", "Open"), actual: true, expected: "false"))
        #expect(try #require(playbook.plan(request).plan).warnings == ["Window.Open offends, and no step changes it"])
        request = Workshop.request()
        request.offending = [Offending(path: PropertyPath(names: "Window", "Open"), actual: true, expected: "false")]
        #expect(try #require(Workshop.locking.plan(request).plan).warnings == [])
    }

    @Test("A step that cannot be undone makes the plan irreversible, and says so")
    func irreversible() throws {
        let playbook = Workshop.playbook(
            """
            steps:
              - do: shop.SetCode
                with: {StoreName: $resource.StoreName, Code: 1234}
                undo: {irreversible: the old code is not known}
              - do: shop.LockStore
                with: {StoreName: $resource.StoreName, Locked: true}
                undo: restore
            """)
        let plan = try #require(playbook.plan(Workshop.request()).plan)
        #expect(plan.undo == .irreversible(reason: "the old code is not known"))
        #expect(
            plan.warnings == [
                "step 1 cannot be undone: the old code is not known",
                "Code, which step 1 writes, is not known before it is read: not in the snapshot",
            ])
    }

    @Test("A call that takes a section away is undone by the one that writes it")
    func restoring() throws {
        let playbook = Workshop.playbook(
            """
            steps:
              - do: shop.DeleteWindow
                with: {StoreName: $resource.StoreName}
                undo: restore
              - do: shop.PutWindow
                with: {StoreName: $resource.StoreName, Window: {Open: false}}
                undo: restore
            """)
        let plan = try #require(playbook.plan(Workshop.request()).plan)
        let undone = plan.steps.map { step -> [String?] in
            guard case .restore(_, let with, let whenAbsent, let before) = step.undo.means else { return [] }
            return [with, whenAbsent, before?.canonicalText]
        }
        let before = #"{"Window":{"Blind":"down","Open":true}}"#
        #expect(
            undone == [
                ["shop.PutWindow", "shop.DeleteWindow", before], ["shop.PutWindow", "shop.DeleteWindow", before],
            ])
    }

    @Test("Alternatives are rendered beside the plan, each with its own digest")
    func alternatives() throws {
        let playbook = Workshop.playbook(
            """
            steps:
              - do: shop.LockStore
                with: {StoreName: $resource.StoreName, Locked: true}
                undo: restore
            alternatives:
              - title: Shut the window
                steps:
                  - do: shop.PutWindow
                    with: {StoreName: $resource.StoreName, Window: {Open: false}}
                    undo: restore
            """)
        let plan = try #require(playbook.plan(Workshop.request()).plan)
        #expect(plan.alternatives.map(\.title) == ["Shut the window"])
        #expect(plan.alternatives[0].digest != plan.digest)
    }

    @Test("What the resource's id says needs no property")
    func idIsKnown() {
        let outcome = Workshop.locking.plan(Workshop.request(without: ["StoreName"]))
        #expect(outcome.calls == [#"shop.LockStore {"Locked":true,"StoreName":"corner"}"#])
    }

    @Test("A finding of another rule or type is none of a playbook's")
    func othersAreRefused() {
        var request = Workshop.request()
        request.rule = "shop/doors-narrow"
        #expect(Workshop.locking.plan(request).summary == "nothing: a does not remedy shop/doors-narrow")
        request = Workshop.request()
        request.resource = ResourceID(type: "Shop::Alarm", id: "x")
        #expect(Workshop.locking.plan(request).summary == "nothing: a is not for Shop::Alarm")
    }
}
