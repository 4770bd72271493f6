"""Cells that need each other: random pipelines against networkx, and what many workers make of them."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import simulation
from cluster.dag import Graph, Node
from lottery.errors import UserError


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[Graph, dict[str, float]]:
    """Up to 12 cells in any order, each needing some of those before it, and what they cost."""
    size = draw(st.integers(1, 12))
    cells = [
        Node(
            f"c{at}",
            frozenset(f"c{need}" for need in draw(st.sets(st.integers(0, at - 1))))
            if at
            else frozenset(),
            carried=draw(st.booleans()),
        )
        for at in range(size)
    ]
    cost = {cell.name: float(draw(st.integers(1, 9))) for cell in cells}
    return Graph(draw(st.permutations(cells))), cost


def drawn(graph: Graph) -> "nx.DiGraph[str]":
    """The graph as networkx has it, from what is needed to what needs it."""
    made: nx.DiGraph[str] = nx.DiGraph()
    made.add_nodes_from(graph)
    made.add_edges_from((need, name) for name, cell in graph.items() for need in cell.needs)
    return made


@given(pipelines())
def test_order_descendants_and_chains_are_those_of_networkx(
    case: tuple[Graph, dict[str, float]],
) -> None:
    graph, cost = case
    oracle = drawn(graph)
    place = {name: at for at, name in enumerate(graph)}
    assert all(place[need] < place[name] for need, name in oracle.edges)
    assert all(graph.behind(name) == nx.descendants(oracle, name) for name in graph)
    for name, *ends in oracle.edges:
        oracle.edges[name, ends[0]]["weight"] = cost[name]
    oracle.add_edges_from((name, "end", {"weight": cost[name]}) for name in graph)
    assert max(graph.ways(cost).values()) == nx.dag_longest_path_length(oracle)


@given(pipelines())
def test_what_stays_here_has_nothing_behind_it_elsewhere(
    case: tuple[Graph, dict[str, float]],
) -> None:
    graph, _ = case
    away = graph.away()
    assert all(cell.carried and cell.needs <= away.keys() for cell in away.values())
    for name in graph.keys() - away.keys():
        assert not graph[name].carried or not graph[name].needs <= away.keys()
        assert not graph.behind(name) & away.keys()


@given(pipelines())
def test_whatever_is_ready_can_be_done_until_all_is(case: tuple[Graph, dict[str, float]]) -> None:
    graph, _ = case
    done = set[str]()
    while ready := graph.ready(done):
        assert all(graph[name].needs <= done and name not in done for name in ready)
        done.add(ready[-1])
    assert done == graph.keys()


@given(pipelines(), st.integers(1, 12))
def test_a_forecast_keeps_grahams_bound(case: tuple[Graph, dict[str, float]], workers: int) -> None:
    """List scheduling is never longer than work / m + chain (1 - 1/m), and never shorter than either."""
    graph, cost = case
    found = simulation.forecast(graph, cost, workers)
    assert found.work == sum(cost.values())
    assert found.makespan >= max(found.chain, found.work / workers) - 1e-9
    assert found.makespan <= found.work / workers + found.chain * (1 - 1 / workers) + 1e-9
    assert 0 < found.efficiency <= 1 + 1e-9


@given(pipelines())
def test_one_worker_takes_the_work_and_enough_workers_the_chain(
    case: tuple[Graph, dict[str, float]],
) -> None:
    graph, cost = case
    assert simulation.forecast(graph, cost, 1).makespan == sum(cost.values())
    alone = simulation.forecast(graph, cost, len(graph))
    assert alone.makespan == alone.chain


def test_a_circle_is_no_pipeline() -> None:
    with pytest.raises(ValueError, match="a, b"):
        Graph([Node("a", frozenset({"b"})), Node("b", frozenset({"a"}))])


def test_times_by_pattern_the_last_that_fits_counts() -> None:
    graph = Graph([Node("prune@sst2-1"), Node("prune@mnli-1")])
    table = {"prune@*": 3.0, "prune@mnli-*": 9.0}
    assert simulation.costs(graph, table) == {"prune@sst2-1": 3.0, "prune@mnli-1": 9.0}
    with pytest.raises(UserError, match="no row for prune@sst2-1"):
        simulation.costs(graph, {"prune@mnli-*": 9.0})
