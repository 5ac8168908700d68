"""Settings of the operators: edges E(.), flow F(.); and the number of the DNED's side outputs."""

from dataclasses import dataclass

from sflowgan_tf.utils.bounds import bounded

SIDE_OUTPUTS = 6  # of the DNED, one for each stage of its trunk and the fused one: the paper's N
HED_FILTERS = (8, 16, 64)  # of DNEDs for which there are weights of HED; 64 is HED itself


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """E(.), the deterministic edge map (sec. 3.2), as `ops.edges.laplacian_edges` draws it.

    Attributes:
        threshold: of the Laplacian's absolute value, grey levels; a pixel above it is an edge. The
            Laplacian is 2040 at most. It counts in thousandths, what is finer is cut off.
        blur: sigma of a Gaussian before the Laplacian, pixels; 0 is none.
        density: instead of the threshold, the largest share of a frame's pixels that are edges:
            those with the largest Laplacian. So a photo full of leaves and a simulator's plain
            walls give maps of one kind. 0 leaves it to the threshold.
    """

    threshold: float = bounded(60.0, 0, 2040)
    blur: float = bounded(0.0, 0)
    density: float = bounded(0.0, 0, 0.9)


@dataclass(frozen=True, kw_only=True)
class Farneback:
    """F(.), dense optical flow (sec. 3.3), by OpenCV's names; the defaults are its tutorial's.

    Attributes:
        pyr_scale: size of each pyramid level relative to the one below.
        levels: of the pyramid above the full size; those under 32 pixels are left out.
        winsize: pixels over which displacements are averaged.
        iterations: at each level.
        poly_n: radius of the neighbourhood that a polynomial is fitted to, pixels.
        poly_sigma: of the Gaussian that weights the fit, pixels.
        gaussian: average with a Gaussian of sigma 0.15 winsize instead of a box: smoother, slower
            in OpenCV.
    """

    pyr_scale: float = bounded(0.5, 0.1, 0.95)
    levels: int = bounded(3, 0)
    winsize: int = bounded(15, 2)
    iterations: int = bounded(3, 1)
    poly_n: int = bounded(5, 1)
    poly_sigma: float = bounded(1.2, 0.3)
    gaussian: bool = False


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Where the colours that a generator sees are averaged; see `preprocessing.region_colors`.

    Attributes:
        cell: side of a cell, pixels.
        fine: indices of classes whose pixels keep their own colours: of small things whose parts
            differ, as the lamps of traffic lights do.
    """

    cell: int
    fine: tuple[int, ...] = ()
