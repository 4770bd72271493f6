"""Dependency graphs of random pipelines against networkx, and simulated runs against bounds of scheduling."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import simulation
from cluster.dag import Graph, Node
from lottery.errors import UserError


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[Graph, dict[str, float]]:
    """Up to 12 jobs in any order, each needing some of those before it, and their costs."""
    size = draw(st.integers(1, 12))
    earlier = st.integers(0, size)
    nodes = [
        Node(
            f"j{number}",
            frozenset(f"j{need}" for need in draw(st.sets(earlier)) if need < number),
            cached=draw(st.booleans()),
        )
        for number in range(size)
    ]
    costs = {node.name: float(draw(st.integers(1, 9))) for node in nodes}
    return Graph(draw(st.permutations(nodes))), costs


def networkx_graph(graph: Graph) -> "nx.DiGraph[str]":
    """The same graph; edges lead from a job to those that need it."""
    reference: nx.DiGraph[str] = nx.DiGraph()
    reference.add_nodes_from(graph)
    reference.add_edges_from((need, name) for name, node in graph.items() for need in node.needs)
    return reference


@given(pipelines())
def test_order_dependents_and_longest_chains_equal_networkx(
    pipeline: tuple[Graph, dict[str, float]],
) -> None:
    graph, costs = pipeline
    reference = networkx_graph(graph)
    position = {name: number for number, name in enumerate(graph)}
    assert all(position[need] < position[name] for need, name in reference.edges)
    assert all(graph.dependents(name) == nx.descendants(reference, name) for name in graph)
    for need, name in reference.edges:
        reference.edges[need, name]["weight"] = costs[need]
    reference.add_edges_from((name, "end", {"weight": costs[name]}) for name in graph)
    assert max(graph.longest_chains(costs).values()) == nx.dag_longest_path_length(reference)


@given(pipelines())
def test_remote_jobs_need_no_job_of_the_head(pipeline: tuple[Graph, dict[str, float]]) -> None:
    graph, _ = pipeline
    remote = graph.remote()
    assert all(node.cached and node.needs <= remote.keys() for node in remote.values())
    for name in graph.keys() - remote.keys():
        assert not graph[name].cached or not graph[name].needs <= remote.keys()
        assert not graph.dependents(name) & remote.keys()


@given(pipelines(), st.integers(0, 12))
def test_remaining_jobs_need_remaining_jobs_only(
    pipeline: tuple[Graph, dict[str, float]], count: int
) -> None:
    graph, costs = pipeline
    done = list(graph)[:count]
    remaining = graph.without(done)
    assert remaining.keys() == graph.keys() - set(done)
    assert all(node.needs == graph[name].needs - set(done) for name, node in remaining.items())
    chains = graph.longest_chains(costs)
    assert remaining.longest_chains(costs) == {name: chains[name] for name in remaining}


@given(pipelines(), st.integers(1, 12))
def test_forecast_keeps_grahams_bound(
    pipeline: tuple[Graph, dict[str, float]], workers: int
) -> None:
    """List scheduling takes at most work / m + chain (1 - 1/m), and at least work / m and chain."""
    graph, costs = pipeline
    forecast = simulation.forecast(graph, costs, workers)
    assert forecast.work == sum(costs.values())
    assert forecast.makespan >= max(forecast.chain, forecast.work / workers) - 1e-9
    bound = forecast.work / workers + forecast.chain * (1 - 1 / workers)
    assert forecast.makespan <= bound + 1e-9
    assert 0 < forecast.efficiency <= 1 + 1e-9


@given(pipelines())
def test_one_worker_takes_the_work_and_enough_workers_the_longest_chain(
    pipeline: tuple[Graph, dict[str, float]],
) -> None:
    graph, costs = pipeline
    assert simulation.forecast(graph, costs, 1).makespan == sum(costs.values())
    parallel = simulation.forecast(graph, costs, len(graph))
    assert parallel.makespan == parallel.chain


def test_cycle_is_an_error() -> None:
    with pytest.raises(ValueError, match="cycle"):
        Graph([Node("a", frozenset({"b"})), Node("b", frozenset({"a"}))])


def test_last_matching_pattern_gives_the_time() -> None:
    graph = Graph([Node("prune@sst2-1"), Node("prune@mnli-1")])
    times = {"prune@*": 3.0, "prune@mnli-*": 9.0}
    assert simulation.costs(graph, times) == {"prune@sst2-1": 3.0, "prune@mnli-1": 9.0}
    with pytest.raises(UserError, match="no row for prune@sst2-1"):
        simulation.costs(graph, {"prune@mnli-*": 9.0})
