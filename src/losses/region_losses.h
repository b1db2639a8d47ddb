// Losses about whole regions of a batch, from the probabilities of its classes.
#pragma once

#include "losses/class_probabilities.h"
#include "tensor/tensor.h"

namespace segmentum {

// Each returns its value and adds `weight` * dLoss/dp to `slopes`, a tensor of the probabilities'
// shape, or nothing where its data is empty. Sums are over the labelled pixels of the whole batch;
// a class counts where it is the label of one of them, all of these alike. No labelled pixel: 0.
// Same bits for any thread count.

/// 1 - I / (I + alpha (P - I) + beta (T - I)), a mean over classes, with I = sum of p where the
/// class is true, P = sum of p, T = true pixels: alpha is the price of what is invented, beta that
/// of what is missed. alpha = beta = 1/2 is the Dice loss, 1 - 2 I / (P + T). O(N*K*H*W).
/// Salehi, Erdogmus and Gholipour, MLMI 2017; Milletari, Navab and Ahmadi, V-Net, 3DV 2016, whose
/// Dice has squares in its denominator. Throws Error unless alpha >= 0 and beta > 0.
double tversky_loss(const ClassProbabilities& probabilities, double alpha, double beta,
                    TensorView slopes, double weight);

/// Lovász-softmax: for each class the errors |[y = k] - p_k| in falling order, weighted by what
/// each adds to 1 - IoU if the pixels up to it are wrong; a mean over classes. Of equal errors the
/// earlier pixel comes first. O(K n log n) for n pixels of the batch.
/// Berman, Rannen Triki and Blaschko, CVPR 2018, Algorithm 1 ("present" classes, not per picture).
double lovasz_loss(const ClassProbabilities& probabilities, TensorView slopes, double weight);

/// The mean over labelled pixels and all classes of p_k times the distance in pixels to the border
/// of the class in this picture: outside of it +d to its nearest pixel, inside -(d - 1) with d to
/// the nearest pixel of another class, exact and Euclidean; ignored pixels make no border. A class
/// that is not in a picture, or is all of it, has no border there and adds nothing. The value may
/// be negative. It pulls regions together but says little where a class has none, so it goes with
/// another loss: cross_entropy+0.01*boundary. O(N*K*H*W).
/// Kervadec et al., MIDL 2019, whose code takes the classes of interest alone.
double boundary_loss(const ClassProbabilities& probabilities, TensorView slopes, double weight);

}  // namespace segmentum
