"""The stage `lessons` of the pipeline of the embedded sound network: the teacher hears the speech once."""

from tasks.project.entry import stage
from tasks.project.progress import counted
from tasks.stages.sound_speech import FOLDER, PARAMS, SPEECH, read_sound_params
from tasks.stages.text_corpora import check
from thaw.foundation.parallel.torch_threads import threads
from thaw.pretraining.sounds.lessons import make_lessons

LESSONS = FOLDER / "parts/lessons"


def main() -> None:
    """Keep what the teacher makes of each utterance that it has not heard yet."""
    params = read_sound_params()
    check(params.teacher, PARAMS)
    with threads(params.training.threads), counted("teach", "parts") as progress:
        make_lessons(params.teacher.path, SPEECH, LESSONS, progress)


if __name__ == "__main__":
    stage(main)
