import time
from typing import Any


async def test_speed(invoice: Any) -> None:
    def acc(i, v):
        return {
            "record_type": "account",
            "record_id": f"a{i}",
            "version": v,
            "customer": {
                "customer_name": f"Company {i} v{v}",
                "phone": "1",
                "billing_address": {"city": "Berlin", "street": "x"},
            },
        }

    def con(i, v):
        return {
            "record_type": "contact",
            "record_id": f"c{i}",
            "version": v,
            "account_id": f"a{i}",
            "contact_person": {"last_name": f"P {i}", "phone": str(v)},
            "customer": {"customer_name": "x"},
        }

    for label, recs in (
        ("create accounts", [acc(i, 1) for i in range(1000)]),
        ("create contacts", [con(i, 1) for i in range(1000)]),
        ("update accounts", [acc(i, 2) for i in range(1000)]),
        ("noop", [acc(i, 2) for i in range(1000)]),
        ("update mixed", [acc(i, 3) for i in range(500)] + [con(i, 3) for i in range(500)]),
    ):
        t = time.perf_counter()
        p = time.process_time()
        await invoice.apply(*recs)
        print(label, f"{time.perf_counter() - t:.3f} cpu {time.process_time() - p:.3f}")
    import cProfile, pstats

    pr = cProfile.Profile()
    pr.enable()
    await invoice.apply(*[acc(i, 5) for i in range(1000)])
    pr.disable()
    pstats.Stats(pr).sort_stats("cumtime").print_stats(45)
    t = time.perf_counter()
    p = time.process_time()
    for i in range(50):
        await invoice.estimate(crm_account_id=f"a{i}")
    print("50 estimates", f"{time.perf_counter() - t:.3f} cpu {time.process_time() - p:.3f}")
    t = time.perf_counter()
    e = await invoice.estimate(
        crm_account_id="a1", line_items=[{"name": f"Line {i}", "rate": "1.5", "quantity": 2} for i in range(1000)]
    )
    print("1000 lines", time.perf_counter() - t)
    t = time.perf_counter()
    r = await invoice.admin.get(f"/v1/estimates/{e['id']}/pdf")
    print("pdf 1000 lines", time.perf_counter() - t, len(r.content))
    t = time.perf_counter()
    r = await invoice.admin.get(f"/v1/estimates/{e['id']}")
    print("get 1000 lines", time.perf_counter() - t, len(r.content))
    with invoice.statements() as sent:
        await invoice.estimate(crm_account_id="a1")
    print(len(sent))
    print("\n".join(x[:100].replace("\n", " ") for x in sent))
    with invoice.statements() as sent:
        await invoice.apply(*[acc(i, 7) for i in range(100)] + [con(i, 7) for i in range(100)])
    print(len(sent))
    print("\n".join(x[:100].replace("\n", " ") for x in sent))
