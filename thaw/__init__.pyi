from thaw.notebook.advice import Advised as Advised
from thaw.notebook.advice import advise as advise
from thaw.notebook.extracting import extract as extract
from thaw.notebook.fitting import fit as fit
from thaw.notebook.model import Model as Model
from thaw.notebook.model import load as load
from thaw.notebook.ranking import rank as rank
from thaw.notebook.report import Report as Report
from thaw.notebook.transformer import ThawFeatures as ThawFeatures

__version__: str
