import numpy as np
from numpy.typing import NDArray

def erf(x: NDArray[np.float32]) -> NDArray[np.float32]: ...
