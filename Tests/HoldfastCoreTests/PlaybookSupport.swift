import HoldfastCore
import HoldfastFiles
import HoldfastJSON

/// A small catalog and baseline of a cloud that does not exist, for tests of playbooks.
enum Workshop {
    static let now = RuleTest.defaultNow

    private static let catalogText = """
        types:
          Shop::Store:
            id: "shop:{account}:{region}:{StoreName}"
            example: shop:111122223333:eu-west-1:corner
            scope: regional
            properties: cloudformation
            paths:
              - StoreName
              - Locked
              - Window.{Open,Blind}
              - "Doors[].{DoorId,Width,Label}"
              - "Plans[].{PlanId,Made,Text,Current}"
              - Plan
              - Policy.*
              - Revision
              - Code
            secret: [Code]
            unordered: {Doors: [DoorId], Policy.Statement: [Sid], Plans: [PlanId]}
            read: {call: shop.GetStore, fills: [StoreName, Locked, Window, Doors, Plans, Plan, Policy, Revision, Code]}
            samples:
              store-open:
                StoreName: corner
                Locked: false
                Window: {Open: true, Blind: down}
                Doors: [{DoorId: d-1, Width: 90, Label: front}, {DoorId: d-2, Width: 200}, {DoorId: d-3, Width: 300}]
                Policy: {Statement: [{Sid: ours, Who: us}, {Sid: all, Who: "*"}]}
                Revision: r7
          Shop::Alarm:
            id: "shop:{account}:alarm/{AlarmName}"
            example: shop:111122223333:alarm/bell
            scope: global
            properties: cloudformation
            paths: [AlarmName, Tone, StoreName]
            read: {call: shop.GetAlarm, fills: [AlarmName, Tone, StoreName]}
            samples:
              bell: {AlarmName: bell, Tone: loud, StoreName: corner}
        calls:
          shop.GetStore: {reads: ".", protocol: json-1.1, permission: shop:GetStore}
          shop.GetAlarm: {reads: ".", protocol: json-1.1, permission: shop:GetAlarm}
          shop.LockStore:
            writes: Locked
            protocol: json-1.1
            permission: shop:LockStore
            parameters: [StoreName, Locked]
            idempotent: true
            restore: {from: shop.GetStore, only: sent}
          shop.PutWindow:
            writes: Window
            protocol: rest-json
            request: "PUT /stores/{StoreName}/window"
            permission: shop:PutWindow
            parameters: [Window]
            inverse-when-absent: shop.DeleteWindow
            restore: {from: shop.GetStore}
          shop.DeleteWindow:
            writes: Window
            protocol: rest-json
            request: "DELETE /stores/{StoreName}/window"
            permission: shop:DeleteWindow
          shop.CloseDoor:
            writes: Doors
            protocol: json-1.1
            permission: shop:CloseDoor
            parameters: [StoreName, DoorIds]
          shop.OpenDoor:
            writes: Doors
            protocol: json-1.1
            permission: shop:OpenDoor
            parameters: [StoreName, Door, Width, Label]
            elements: {Doors: {map: {Wide: Width, Called: Label}}}
          shop.PutPolicy:
            writes: Policy
            protocol: json-1.1
            permission: shop:PutPolicy
            parameters: [StoreName, Policy, Revision]
            precondition: {version: Revision}
            inverse-when-absent: shop.DeletePolicy
            restore: {from: shop.GetStore}
          shop.DeletePolicy:
            writes: Policy
            protocol: json-1.1
            permission: shop:DeletePolicy
            parameters: [StoreName]
          shop.UsePlan:
            writes: Plan
            protocol: json-1.1
            permission: shop:UsePlan
            parameters: [StoreName, PlanId]
            restore: {from: shop.GetStore, with: {PlanId: Plan}}
          shop.SetCode: {writes: Code, protocol: json-1.1, permission: shop:SetCode, parameters: [StoreName, Code]}
          shop.CreateAlarm: {protocol: json-1.1, permission: shop:CreateAlarm, parameters: [AlarmName, Tone, StoreName]}
          shop.DeleteAlarm: {protocol: json-1.1, permission: shop:DeleteAlarm, parameters: [AlarmId]}
        """

    /// Rule id -> file.
    private static let ruleTexts = [
        "shop/locked": "type: Shop::Store\nexpect: {Locked: true}",
        "shop/doors-narrow": """
        type: Shop::Store
        params: {widest: 100}
        expect: {Doors: {none: {Width: {more-than: $params.widest}}}}
        """,
        "shop/policy-ours": "type: Shop::Store\nexpect: {Policy.Statement: {none: {Who: \"*\"}}}",
        "shop/plan-good": "type: Shop::Store\nexpect: {Plan: {starts-with: good}}",
        "shop/alarm-loud": "type: Shop::Alarm\nexpect: {Tone: loud}",
    ].mapValues { "title: t\nseverity: high\nmaturity: stable\nwhy: w\ntests: []\n" + $0 }

    static let vocabulary: PlaybookVocabulary = {
        let (catalog, problems) = Catalog.load([("aws/shop", node(catalogText, "shop.yaml"))], operations: nil)
        precondition(problems.isEmpty, "\(problems)")
        let files = ruleTexts.sorted { $0.key < $1.key }.map { name, text in
            BaselineFile(kind: .rules, name: name, node: node(text, "\(name).yaml"))
        }
        let (baseline, faults) = Baseline.load(files, catalog: catalog, now: now)
        precondition(faults.isEmpty, "\(faults)")
        return PlaybookVocabulary(catalog: catalog, baseline: baseline)
    }()

    static func node(_ text: String, _ file: String) -> Node {
        do {
            return try YAMLReader.read(text, file: file)
        } catch {
            fatalError("\(error)")
        }
    }

    /// The problems of one playbook's file, which is called `playbooks/a.yaml`.
    static func problems(_ text: String) -> [String] {
        Playbooks.load([("a", node(text, "playbooks/a.yaml"))], vocabulary: vocabulary).problems.map(\.description)
    }

    /// A playbook for the store whose file is sound: its steps and what else it has.
    static func playbook(
        remedies: String = "shop/locked", type: String = "Shop::Store", _ body: String
    ) -> Playbook {
        let text = "remedies: [\(remedies)]\nfor: \(type)\nrisk: low\ntests: []\n" + body
        let (playbooks, problems) = Playbooks.load(
            [("a", node(text, "playbooks/a.yaml"))], vocabulary: vocabulary)
        guard problems.isEmpty, let playbook = playbooks["a"] else { fatalError("\(problems)") }
        return playbook
    }

    static let locking = playbook(
        """
        steps:
          - do: shop.LockStore
            with: {StoreName: $resource.StoreName, Locked: true}
            undo: restore
        """)

    /// What a rule finds in the sample `store-open`, with some properties set to other values.
    static func request(
        _ rule: String = "shop/locked", with changes: [String: JSON] = [:], without: [String] = [],
        lists: [String: [String]] = [:]
    ) -> PlanRequest {
        guard let (type, sample) = vocabulary.catalog.sample("store-open"), let rule = vocabulary.baseline.rule(rule)
        else { fatalError("no such sample or rule") }
        var document = StateValue(snapshot: sample)
        for (path, value) in changes.sorted(by: { $0.key < $1.key }) {
            guard let path = PropertyPath(path) else { fatalError("no path") }
            document = document.setting(StateValue(known: value), at: path)
        }
        for path in without.compactMap({ PropertyPath($0) }) {
            document = document.setting(.unknown("never read"), at: path)
        }
        document = document.keyed(by: type)
        let resource = ResourceID(type: type.name, id: type.example)
        let context = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")
        let evaluation = EvaluationContext(
            now: now, environment: "production", place: context, labels: .map(StateMap([])), lists: lists)
        let verdict = rule.evaluate(document, of: resource, in: evaluation).verdict
        return PlanRequest(
            finding: "f1", rule: rule.id, resource: resource, incarnation: "i1", context: context, document: document,
            offending: verdict.offending, ruleReads: rule.reads.paths, params: rule.params, lists: lists, now: now,
            trial: { rule.evaluate($0, of: resource, in: evaluation).verdict.outcome })
    }
}

extension PlanOutcome {
    var plan: Plan? {
        switch self {
        case .plan(let plan): plan
        case .proposal(_, let plan): plan
        case .nothing: nil
        }
    }
    /// `plan`, or the reason why there is none.
    var summary: String {
        switch self {
        case .plan: "plan"
        case .proposal(let reason, _): "proposal: \(reason)"
        case .nothing(let reason): "nothing: \(reason)"
        }
    }
    /// Each call with its parameters as canonical JSON.
    var calls: [String] { plan?.steps.map { "\($0.call.name) \(JSON.object($0.call.parameters).canonicalText)" } ?? [] }
}
