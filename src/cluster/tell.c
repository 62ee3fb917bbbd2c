/* What clusters say: shares, and where they differ from the others of their group. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/cluster.h"

enum { LEAST_MAPS = 5, LEAST_WRONG = 3 };
static const double MOST_CHANCE = 0.01;

/* The first metric that is the share of a map on its region; -1: none. */
static int64_t share_metric(const xa_read_map *x)
{
    static const char *const names[] = {"energy", "relevance_mass"};
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < x->nmetrics; i++)
            if (strncmp(x->metrics[i], names[k], strlen(names[k])) == 0)
                return i;
    return -1;
}

/* The share of a map on the annotated region of the class that it explains, NaN: none. */
static double share_of(const xa_read *r, const xa_read_map *x, int64_t metric, int64_t row)
{
    const int64_t sample = x->sample[row];
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t q = xa_read_first_pair(r, sample); q < r->pairs && r->pair_sample[q] == sample;
         q++) {
        const double v = x->localisation[metric][q];
        if (isfinite(v)) {
            sum += v;
            n++;
        }
    }
    return n ? sum / (double)n : NAN;
}

void xa_cluster_facts_of(const xa_read *r,
                         const xa_read_model *m,
                         const xa_read_map *x,
                         const xa_read_clusters *c,
                         int64_t group,
                         int32_t number,
                         xa_cluster_facts *out)
{
    xa_cluster_facts f = {.energy = NAN, .main_class = -1};
    const int64_t metric = share_metric(x);
    double sum = 0.0;
    int64_t *votes = xa_alloc((size_t)m->classes + 1, sizeof *votes);
    for (int64_t i = 0; i < c->rows; i++) {
        if (c->status[i] != XA_CLUSTER_DONE || c->group[i] != group ||
            (number >= 0 && c->number[i] != number))
            continue;
        const int64_t s = x->sample[i];
        const double v = metric >= 0 ? share_of(r, x, metric, i) : NAN;
        f.maps++;
        if (isfinite(v)) {
            sum += v;
            f.scored++;
        }
        if (r->label_offset[s] == r->label_offset[s + 1] || m->values)
            continue;
        f.labelled++;
        f.wrong += !xa_read_has_label(r, s, m->predicted[s]);
        const int32_t label = r->label_value[r->label_offset[s]];
        if (votes && label >= 0 && label < m->classes)
            votes[label]++;
    }
    if (f.scored)
        f.energy = sum / (double)f.scored;
    for (int64_t k = 0; votes && k < m->classes; k++)
        if (votes[k] > f.of_main_class) {
            f.of_main_class = votes[k];
            f.main_class = (int32_t)k;
        }
    free(votes);
    *out = f;
}

/* The others of the group. */
static xa_cluster_facts others_of(const xa_cluster_facts *c, const xa_cluster_facts *g)
{
    xa_cluster_facts o = {.maps = g->maps - c->maps,
                          .labelled = g->labelled - c->labelled,
                          .wrong = g->wrong - c->wrong,
                          .scored = g->scored - c->scored,
                          .energy = NAN,
                          .main_class = -1};
    if (o.scored > 0 && c->scored > 0)
        o.energy =
            (g->energy * (double)g->scored - c->energy * (double)c->scored) / (double)o.scored;
    return o;
}

/* ln of n over k */
static double ways(int64_t n, int64_t k)
{
    return lgamma((double)n + 1.0) - lgamma((double)k + 1.0) - lgamma((double)(n - k) + 1.0);
}

/* How likely a cluster has so many wrong answers or more, were they dealt to the group's maps by
 * chance (hypergeometric, as Fisher's exact test). */
static double by_chance(const xa_cluster_facts *c, const xa_cluster_facts *g)
{
    double p = 0.0;
    for (int64_t w = c->wrong; w <= c->labelled && w <= g->wrong; w++)
        if (c->labelled - w <= g->labelled - g->wrong)
            p += exp(ways(g->wrong, w) + ways(g->labelled - g->wrong, c->labelled - w) -
                     ways(g->labelled, c->labelled));
    return p;
}

unsigned xa_cluster_doubts(const xa_cluster_facts *cluster, const xa_cluster_facts *group)
{
    const xa_cluster_facts o = others_of(cluster, group);
    unsigned doubts = 0;
    if (cluster->scored >= LEAST_MAPS && o.scored >= LEAST_MAPS && cluster->energy < 0.5 * o.energy)
        doubts |= XA_CLUSTER_OFF_OBJECT;
    if (cluster->labelled >= LEAST_MAPS && o.labelled >= LEAST_MAPS &&
        cluster->wrong >= LEAST_WRONG) {
        const double own = (double)cluster->wrong / (double)cluster->labelled;
        const double theirs = (double)o.wrong / (double)o.labelled;
        if (own >= 2.0 * theirs && own >= theirs + 0.2 && by_chance(cluster, group) <= MOST_CHANCE)
            doubts |= XA_CLUSTER_WRONG;
    }
    return doubts;
}

static void say_doubts(FILE *out,
                       const char *name,
                       int32_t number,
                       const xa_cluster_facts *f,
                       const xa_cluster_facts *group)
{
    const unsigned doubts = xa_cluster_doubts(f, group);
    const xa_cluster_facts o = others_of(f, group);
    fprintf(out,
            "    Look at cluster %d of %s (%" PRId64 " of %" PRId64 " maps):",
            number,
            name,
            f->maps,
            group->maps);
    if (doubts & XA_CLUSTER_OFF_OBJECT)
        fprintf(out,
                " its maps lie less on the annotated object than the others (share %.2f, others "
                "%.2f)%s",
                f->energy,
                o.energy,
                doubts & XA_CLUSTER_WRONG ? ", and" : ".");
    if (doubts & XA_CLUSTER_WRONG)
        fprintf(out,
                " its answers are wrong more often (%.0f %%, others %.0f %%).",
                100.0 * (double)f->wrong / (double)f->labelled,
                100.0 * (double)o.wrong / (double)o.labelled);
    fputs(" What its images share, these figures do not say.\n", out);
}

/* The images to look at: those nearest to the cluster's centre, as a command. */
static void say_typical(FILE *out,
                        const xa_read *r,
                        const xa_read_map *x,
                        const xa_read_clusters *c,
                        int64_t group,
                        int32_t number)
{
    enum { SHOWN = 6 };
    int64_t *rows = NULL, n = 0;
    xa_str line = {0};
    char id[512];
    if (xa_read_cluster_rows(c, group, number, &rows, &n, NULL) != XA_OK)
        return;
    for (int64_t i = 0; i < n && i < SHOWN; i++) {
        xa_read_text(r->id, r->id_bytes, x->sample[rows[i]], id, sizeof id);
        xa_str_puts(&line, " ");
        xa_str_word(&line, id);
    }
    if (!line.failed && line.data)
        fprintf(
            out,
            "    Its most typical maps: xaudit figure %s -o cluster.pdf --explainer %s --id%s\n",
            r->path,
            x->name,
            line.data);
    xa_str_free(&line);
    free(rows);
}

static void print_group(FILE *out,
                        const xa_read *r,
                        const xa_read_model *m,
                        const xa_read_map *x,
                        const xa_read_clusters *c,
                        int64_t g)
{
    char name[128] = "all classes", label[128];
    xa_cluster_facts all, f;
    const double *value = c->eigenvalue + g * XA_CLUSTER_VECTORS;
    const int k = c->count[g];
    if (c->class_index[g] >= 0)
        (void)xa_read_class(m, c->class_index[g], name, sizeof name);
    xa_cluster_facts_of(r, m, x, c, g, -1, &all);
    fprintf(out,
            "  %s: %d maps in %d clusters (%d neighbours; eigengap %.3f, between %.3f and %.3f)\n",
            name,
            c->maps[g],
            k,
            c->neighbours[g],
            value[k] - value[k - 1],
            value[k - 1],
            value[k]);
    for (int32_t i = 0; i < k; i++) {
        xa_cluster_facts_of(r, m, x, c, g, i, &f);
        fprintf(out,
                "    %2d  %5" PRId64 " maps %5.1f %%",
                i,
                f.maps,
                100.0 * (double)f.maps / (double)all.maps);
        if (f.labelled)
            fprintf(out,
                    "   wrong %" PRId64 " of %" PRId64 " (%.0f %%)",
                    f.wrong,
                    f.labelled,
                    100.0 * (double)f.wrong / (double)f.labelled);
        if (f.scored)
            fprintf(out, "   on the object %.2f", f.energy);
        if (c->class_index[g] < 0 && f.main_class >= 0)
            fprintf(out,
                    "   %.0f %% labelled %s",
                    100.0 * (double)f.of_main_class / (double)f.labelled,
                    xa_read_class(m, f.main_class, label, sizeof label));
        fputc('\n', out);
    }
    for (int32_t i = 0; i < k; i++) {
        xa_cluster_facts_of(r, m, x, c, g, i, &f);
        if (xa_cluster_doubts(&f, &all)) {
            say_doubts(out, name, i, &f, &all);
            say_typical(out, r, x, c, g, i);
        }
    }
}

void xa_cluster_print(FILE *out,
                      const xa_read *r,
                      const xa_read_model *m,
                      const xa_read_map *x,
                      const xa_read_clusters *c,
                      int64_t most)
{
    int64_t shown = 0, more = 0, left[XA_CLUSTER_STATUSES] = {0};
    fprintf(out, "%s, %s\n", m->name, x->name);
    for (int64_t g = 0; g < c->groups; g++)
        if (c->count[g] && shown < most) {
            print_group(out, r, m, x, c, g);
            shown++;
        } else {
            more += c->count[g] > 0;
        }
    for (int64_t i = 0; i < c->rows; i++)
        left[c->status[i]]++;
    if (more)
        fprintf(out, "  %" PRId64 " more classes are in the archive\n", more);
    if (left[XA_CLUSTER_FEW])
        fprintf(out,
                "  %" PRId64 " maps are in no cluster, since their class has fewer than %d\n",
                left[XA_CLUSTER_FEW],
                XA_CLUSTER_LEAST);
    if (left[XA_CLUSTER_NOT_SAMPLED])
        fprintf(
            out, "  %" PRId64 " maps were not sampled (--maps)\n", left[XA_CLUSTER_NOT_SAMPLED]);
    if (left[XA_CLUSTER_ZERO])
        fprintf(out,
                "  %" PRId64 " maps are in no cluster, since all their values are 0 or one is not "
                "finite\n",
                left[XA_CLUSTER_ZERO]);
}
