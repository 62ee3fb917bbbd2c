/* Who shares a node's memory, and who leads: machines as MPI sees them, in parts of
 * XAUDIT_NODE_RANKS ranks where that is set. */
#include <stdlib.h>
#include <string.h>

#include "comm_internal.h"

void xa__free_nodes(xa_comm *c)
{
    if (c->leaders != MPI_COMM_NULL)
        MPI_Comm_free(&c->leaders);
    if (c->node != MPI_COMM_NULL)
        MPI_Comm_free(&c->node);
    free(c->leader);
    free(c->ranks);
    c->leader = NULL;
    c->ranks = NULL;
}

/* Ranks a node has at most; 0: as many as the machine. The same on all ranks, or all fail. */
static xa_status most_ranks(xa_comm *c, int64_t *out, xa_err *err)
{
    const char *text = getenv("XAUDIT_NODE_RANKS");
    xa_err mine = XA_ERR_INIT;
    int64_t most = 0, low = 0;
    if (text && *text && (!xa_parse_i64(text, &most) || most < 1))
        XA_ERR(&mine, XA_INVALID, "XAUDIT_NODE_RANKS=%s: expected a number from 1", text);
    XA_RETURN_TRY(err, xa_comm_agree(c, mine.code, &mine, err));
    low = most;
    XA_RETURN_TRY(err, xa_comm_min_i64(c, &low, err));
    XA_RETURN_TRY(err, xa_comm_max_i64(c, &most, err));
    if (low != most)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "XAUDIT_NODE_RANKS is %d on some ranks and %d on others",
                       (int)low,
                       (int)most);
    *out = most;
    return XA_OK;
}

/* From c->node: everything else that is known of nodes. */
static xa_status number(xa_comm *c, xa_err *err)
{
    xa_status st = XA_OK;
    int *of = xa_alloc((size_t)c->size, sizeof *of); /* the leader of each rank */
    XA__MPI(err, MPI_Comm_set_errhandler(c->node, MPI_ERRORS_RETURN));
    XA__MPI(err, MPI_Comm_rank(c->node, &c->node_rank));
    XA__MPI(err, MPI_Comm_size(c->node, &c->node_size));
    int leader = c->rank;
    XA__MPI(err, MPI_Bcast(&leader, 1, MPI_INT, 0, c->node));
    c->leader = xa_alloc((size_t)c->size, sizeof *c->leader);
    c->ranks = xa_alloc((size_t)c->size, sizeof *c->ranks);
    xa_err mine = XA_ERR_INIT;
    if (!of || !c->leader || !c->ranks)
        XA_ERR(&mine, XA_NOMEM, "out of memory for the list of nodes");
    st = xa_comm_agree(c, mine.code, &mine, err);
    if (st != XA_OK || !of || !c->leader || !c->ranks)
        goto done;
    XA__MPI(err, MPI_Allgather(&leader, 1, MPI_INT, of, 1, MPI_INT, c->world));
    c->nodes = 0;
    for (int i = 0; i < c->size; i++) { /* leaders are their nodes' lowest ranks */
        if (of[i] == i)
            c->leader[c->nodes++] = i;
    }
    for (int n = 0; n < c->nodes; n++) {
        of[c->leader[n]] = n; /* read as the node's number from here on, by members below */
    }
    for (int i = 0, n = 0; i < c->size; i++) {
        if (n < c->nodes && c->leader[n] == i) {
            c->ranks[of[i]]++;
            n++;
        } else {
            c->ranks[of[of[i]]]++;
        }
    }
    XA__MPI(err,
            MPI_Comm_split(c->world, c->node_rank == 0 ? 0 : MPI_UNDEFINED, c->rank, &c->leaders));
    if (c->leaders != MPI_COMM_NULL)
        XA__MPI(err, MPI_Comm_set_errhandler(c->leaders, MPI_ERRORS_RETURN));
done:
    free(of);
    return st;
}

xa_status xa__find_nodes(xa_comm *c, xa_err *err)
{
    xa_status st = XA_OK;
    MPI_Comm machine = MPI_COMM_NULL;
    int64_t most = 0;
    int at = 0;
    XA_TRY(err, most_ranks(c, &most, err));
    XA__MPI(err,
            MPI_Comm_split_type(c->world, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &machine));
    XA__MPI(err, MPI_Comm_set_errhandler(machine, MPI_ERRORS_RETURN));
    XA__MPI(err, MPI_Comm_rank(machine, &at));
    if (most > 0 && most < c->size) {
        XA__MPI(err, MPI_Comm_split(machine, at / (int)most, at, &c->node));
    } else {
        c->node = machine;
        machine = MPI_COMM_NULL;
    }
    XA_TRY(err, number(c, err));
done:
    if (machine != MPI_COMM_NULL)
        MPI_Comm_free(&machine);
    return st;
}

xa_status xa_comm_part(xa_comm *c, bool alone, xa_err *err)
{
    xa_status st = XA_OK;
    int mine = alone ? 1 : 0, all = 0;
    MPI_Comm node = MPI_COMM_NULL;
    XA__MPI(err, MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, c->node));
    XA__MPI(err, MPI_Comm_split(c->node, all ? c->node_rank : 0, c->node_rank, &node));
    xa__free_nodes(c);
    c->node = node;
    XA_TRY(err, number(c, err));
done:
    return st;
}

int xa_comm_node_rank(const xa_comm *c)
{
    return c->node_rank;
}

int xa_comm_node_size(const xa_comm *c)
{
    return c->node_size;
}

int xa_comm_nodes(const xa_comm *c)
{
    return c->nodes;
}

int xa_comm_leader(const xa_comm *c, int node)
{
    return c->leader[node];
}

int xa_comm_ranks_of(const xa_comm *c, int node)
{
    return c->ranks[node];
}

int xa_comm_largest_node(const xa_comm *c)
{
    int most = 0;
    for (int n = 0; n < c->nodes; n++)
        most = c->ranks[n] > most ? c->ranks[n] : most;
    return most;
}

MPI_Comm xa_comm_leaders(const xa_comm *c)
{
    return c->leaders;
}
