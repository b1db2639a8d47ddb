// The inner loops of mean field over rows of `labels` numbers, `row_stride(labels)` apart.
#pragma once

#include <cstdint>

namespace segmentum {

/// Of some pixels, in nats.
struct FieldSums {
  double energy = 0;   // expected, of the marginals before
  double entropy = 0;  // of the marginals after
  double change = 0;   // sum |after - before| / 2

  FieldSums& operator+=(const FieldSums& other) {
    energy += other.energy;
    entropy += other.entropy;
    change += other.change;
    return *this;
  }
};

/// The unary beyond the last label of a row: it leaves no probability there.
inline constexpr float kNoLabel = 1e30f;

/// q = softmax(-unary).
FieldSums start_rows(const float* unary, std::int64_t pixels, int labels, float* q);

/// q = softmax(gain - unary), where the message is common[i] - gain[i][k]. Of the message, half
/// counts as energy: every pair is met twice. Leaves the new q in `gain` too.
FieldSums update_rows(const float* unary, const float* common, std::int64_t pixels, int labels,
                      float* gain, float* q);

/// The energy of q as it is.
double energy_of_rows(const float* unary, const float* common, const float* gain, const float* q,
                      std::int64_t pixels, int labels);

/// sums[i] = the sum of row i.
void sum_rows(const float* rows, std::int64_t pixels, int labels, float* sums);

/// gain[k] -= factor * (the sum over l of columns[l][k] * message[l]), for every row.
void subtract_costs(const float* columns, float factor, const float* message, std::int64_t pixels,
                    int labels, float* gain);

/// How far a probability may lie outside of 0..1: sums and differences of floats do.
inline constexpr float kProbabilitySlack = 0.001f;

/// energies[i] = -log(max(p[i], floor)), sums[i] += p[i]. False if a p lies outside of 0..1 by more
/// than kProbabilitySlack, or is no number.
bool negative_logs(const float* p, int count, float floor, float* energies, float* sums);

}  // namespace segmentum
