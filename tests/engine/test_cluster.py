"""A Dask cluster as a place to compute. Its workers are threads of this process; see also tests/torture."""

from functools import partial

import pytest
import workfunctions as work

from lib.engine.places import JobFailed, map_jobs
from lib.engine.places.cluster import Cluster

distributed = pytest.importorskip("distributed")
HERE = {
    "processes": False,
    "protocol": "tcp://",
    "host": "127.0.0.1",
    "dashboard_address": ":0",
    "silence_logs": 50,
}


@pytest.fixture(scope="module")
def scheduler():
    """Two workers, the second with a GPU, as it says."""
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, **HERE) as cluster:
        worker = cluster.worker_spec[0] | {}
        worker["options"] = worker["options"] | {"resources": {"GPU": 1}}
        cluster.worker_spec["with-gpu"] = worker
        cluster.sync(cluster._correct_state)
        yield cluster.scheduler_address


def test_the_same_results_in_the_order_of_the_jobs(scheduler):
    assert list(map_jobs(work.square, range(9), Cluster(scheduler))) == [j * j for j in range(9)]
    assert list(map_jobs(work.draw, [3], Cluster(scheduler))) == [work.draw(3)]


def test_jobs_are_handed_out_as_workers_are_free(scheduler):
    taken = []
    done = Cluster(scheduler).each(work.tell, (taken.append(job) or job for job in range(6)))
    next(done)
    assert len(taken) <= 3
    assert len(list(done)) == 5


def test_a_job_that_raises_is_named_with_error_and_place(scheduler):
    problem = r"job bad: ValueError: not this one at workfunctions\.py:\d+; what is done is stored"
    with pytest.raises(JobFailed, match=problem) as error:
        list(Cluster(scheduler).each(work.refuse, ["good", "bad"]))
    assert "in refuse" in error.value.__notes__[0]


def test_a_passing_trouble_is_passed(scheduler, tmp_path):
    found = map_jobs(partial(work.first_time, str(tmp_path), "raise"), range(3), Cluster(scheduler))
    assert list(found) == [0, 1, 4]
    assert len(list(tmp_path.glob("tried-1-*"))) == 2


def test_jobs_for_a_gpu_go_where_one_is_offered(scheduler):
    found = dict(Cluster(scheduler).each(work.where, range(4), "cuda"))
    assert len(set(found.values())) == 1
    assert Cluster(scheduler).device(None) == Cluster(scheduler).device("cuda") == "cuda"
    assert Cluster(scheduler).device("cpu") == "cpu"
    with pytest.raises(ValueError, match="device 'mps' on a cluster"):
        Cluster(scheduler).device("mps")


def test_an_address_that_is_none_and_a_scheduler_that_does_not_answer():
    with pytest.raises(ValueError, match="write it as tcp://host:port"):
        Cluster("localhost")
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:9 does not answer.*goes on from there"):
        Cluster("tcp://127.0.0.1:9", patience=0.5).device(None)


def test_a_scheduler_that_goes_while_jobs_are_under_way_is_one_sentence():
    cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=1, **HERE)
    done = Cluster(cluster.scheduler_address, patience=2).each(work.tell, range(6))
    next(done)
    cluster.close()
    with pytest.raises(ConnectionError, match=r"was stopped, or cannot be reached.*goes on from there"):
        list(done)


def test_a_cluster_without_workers_says_so():
    with (
        distributed.LocalCluster(n_workers=0, **HERE) as cluster,
        pytest.raises(ConnectionError, match="has no workers: dask worker tcp"),
    ):
        Cluster(cluster.scheduler_address).device(None)
