"""A method for each operation of the REST API, synchronous and asynchronous."""

from abc import ABC, abstractmethod
from typing import TypeVar

from ketav_client.call import Call

from .api.accounts import delete_account as _delete_account
from .api.accounts import get_account as _get_account
from .api.accounts import list_audit as _list_audit
from .api.corrections import list_corrections as _list_corrections
from .api.corrections import put_correction as _put_correction
from .api.corrections import save_feedback as _save_feedback
from .api.corrections import withdraw_correction as _withdraw_correction
from .api.ground_truth import import_ground_truth as _import_ground_truth
from .api.jobs import cancel_job as _cancel_job
from .api.jobs import create_job as _create_job
from .api.jobs import get_job as _get_job
from .api.jobs import get_job_export as _get_job_export
from .api.jobs import list_jobs as _list_jobs
from .api.members import list_members as _list_members
from .api.members import remove_member as _remove_member
from .api.members import set_member as _set_member
from .api.models import activate_model as _activate_model
from .api.models import get_model as _get_model
from .api.models import list_models as _list_models
from .api.models import list_progress as _list_progress
from .api.next_lines import list_next_lines as _list_next_lines
from .api.pages import add_line as _add_line
from .api.pages import change_line as _change_line
from .api.pages import create_link as _create_link
from .api.pages import delete_image as _delete_image
from .api.pages import delete_line as _delete_line
from .api.pages import export as _export
from .api.pages import get_file as _get_file
from .api.pages import get_image as _get_image
from .api.pages import get_line_image as _get_line_image
from .api.pages import merge_lines as _merge_lines
from .api.pages import revoke_links as _revoke_links
from .api.pages import split_line as _split_line
from .api.pages import undo_line_edit as _undo_line_edit
from .api.projects import create_project as _create_project
from .api.projects import delete_project as _delete_project
from .api.projects import export_project as _export_project
from .api.projects import get_project as _get_project
from .api.projects import list_projects as _list_projects
from .api.projects import rename_hand as _rename_hand
from .api.projects import update_project as _update_project
from .api.system import livez as _livez
from .api.system import readyz as _readyz
from .api.training import cancel_training as _cancel_training
from .api.training import get_policy as _get_policy
from .api.training import get_readiness as _get_readiness
from .api.training import get_training as _get_training
from .api.training import list_training as _list_training
from .api.training import set_policy as _set_policy
from .api.training import start_training as _start_training
from .api.transcriptions import read_again as _read_again
from .api.transcriptions import run_ocr as _run_ocr
from .api.transcriptions import search_lines as _search_lines
from .api.webhooks import delete_webhook as _delete_webhook
from .api.webhooks import get_webhook as _get_webhook
from .api.webhooks import set_webhook as _set_webhook
from .api.webhooks import test_webhook as _test_webhook
from .models.account import Account
from .models.audit_list import AuditList
from .models.changed_line import ChangedLine
from .models.correct_line_response import CorrectLineResponse
from .models.create_job_request import CreateJobRequest
from .models.erasure import Erasure
from .models.export_format import ExportFormat
from .models.export_project_format import ExportProjectFormat
from .models.get_project_fields import GetProjectFields
from .models.get_readiness_script_type_0 import GetReadinessScriptType0
from .models.hand_change import HandChange
from .models.health import Health
from .models.iiif_link import IIIFLink
from .models.import_ground_truth_body import ImportGroundTruthBody
from .models.import_ground_truth_response import ImportGroundTruthResponse
from .models.job import Job
from .models.job_list import JobList
from .models.job_summary import JobSummary
from .models.list_corrections_response import ListCorrectionsResponse
from .models.list_progress_script_type_0 import ListProgressScriptType0
from .models.member import Member
from .models.member_list import MemberList
from .models.merged_lines import MergedLines
from .models.model_list import ModelList
from .models.model_progress import ModelProgress
from .models.model_record import ModelRecord
from .models.model_version import ModelVersion
from .models.new_correction import NewCorrection
from .models.new_line import NewLine
from .models.new_link import NewLink
from .models.new_project import NewProject
from .models.next_line_list import NextLineList
from .models.ocr_accepted_response import OcrAcceptedResponse
from .models.ocr_document_response import OcrDocumentResponse
from .models.ocr_response import OcrResponse
from .models.page import Page
from .models.project import Project
from .models.project_change import ProjectChange
from .models.project_list import ProjectList
from .models.project_with_images import ProjectWithImages
from .models.readiness import Readiness
from .models.renamed_hand import RenamedHand
from .models.run_ocr_body import RunOcrBody
from .models.search_result import SearchResult
from .models.set_member_request import SetMemberRequest
from .models.set_training_policy_request import SetTrainingPolicyRequest
from .models.set_webhook_request import SetWebhookRequest
from .models.split_line import SplitLine
from .models.start_training_request import StartTrainingRequest
from .models.start_training_response import StartTrainingResponse
from .models.submit_corrections_request import SubmitCorrectionsRequest
from .models.submit_corrections_response import SubmitCorrectionsResponse
from .models.test_delivery import TestDelivery
from .models.training_policy import TrainingPolicy
from .models.training_run import TrainingRun
from .models.training_run_list import TrainingRunList
from .models.webhook import Webhook
from .models.webhook_with_secret import WebhookWithSecret
from .models.withdraw_correction_response import WithdrawCorrectionResponse
from .types import UNSET, Unset

T = TypeVar("T")


class Operations(ABC):
    """The operations of the API."""

    @abstractmethod
    def send(self, call: Call[T]) -> T:
        """Send a request and return what its response says."""

    def run_ocr(
        self,
        *,
        body: RunOcrBody,
        prefer: None | str | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Job | OcrAcceptedResponse | OcrDocumentResponse | OcrResponse:
        """Read a new image.

        Store an image as a page of a project and read it; a PDF or TIFF of several pages as several.

        Without `project_id` a new project is created. If the recognition fails, the page is kept: the
        problem names it, and `POST /projects/{project_id}/images/{image_id}/ocr` reads it again. A
        document of up to 20 pages is answered with the state of each page; the failure of a page is its
        own. With `Prefer: respond-async` a job reads the image, or the document of up to 300 pages.

        Args:
            prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (RunOcrBody):
        """
        return self.send(
            _run_ocr.run_ocr(
                body=body,
                prefer=prefer,
                idempotency_key=idempotency_key,
            )
        )

    def read_again(
        self,
        project_id: str,
        image_id: str,
        *,
        model: None | str | Unset = UNSET,
        prefer: None | str | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Job | OcrResponse:
        """Read a stored image again.

        Read a stored image again: after a failure, or with a newer or another model.

        With `Prefer: respond-async` a job reads it.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            model (None | str | Unset): Model version to read with, one of yours or a base model;
                without it your active model.
            prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return self.send(
            _read_again.read_again(
                project_id=project_id,
                image_id=image_id,
                model=model,
                prefer=prefer,
                idempotency_key=idempotency_key,
            )
        )

    def search_lines(
        self,
        *,
        q: str,
        project_id: None | str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> SearchResult:
        """Search lines.

        Find lines by their verified text, or by the reading where there is none; at most 1,000.

        Niqqud and final letters are of no account, and a word may have the prefixes ו ה ב כ ל מ ש. One
        letter of a word of four or five letters may differ, and two of a longer one: models misread.

        Args:
            q (str): Words that a line must contain, at most 8.
            project_id (None | str | Unset): Project to search; without it all of yours, and the 50
                latest shared with you.
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return self.send(
            _search_lines.search_lines(
                q=q,
                project_id=project_id,
                cursor=cursor,
                limit=limit,
            )
        )

    def list_jobs(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> JobList:
        """List your jobs.

        List your jobs, newest first. A job is deleted 30 days after its end; what it has read stays.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return self.send(
            _list_jobs.list_jobs(
                cursor=cursor,
                limit=limit,
            )
        )

    def create_job(
        self,
        *,
        body: CreateJobRequest,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Job:
        """Read stored images in the background.

        Read stored images of a project in the background: after failures, or with a newer or another
        model.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (CreateJobRequest): Stored images to read. Example: {'image_ids':
                ['f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22'], 'project_id':
                '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}.
        """
        return self.send(
            _create_job.create_job(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def get_job(
        self,
        job_id: str,
    ) -> Job:
        """Show a job.

        Return a job with the state of each page.

        Args:
            job_id (str): UUID of the job.
        """
        return self.send(
            _get_job.get_job(
                job_id=job_id,
            )
        )

    def cancel_job(
        self,
        job_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> JobSummary:
        """Cancel a job.

        Cancel a job: pages that wait are not read; a page that is being read keeps its outcome.

        Args:
            job_id (str): UUID of the job.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return self.send(
            _cancel_job.cancel_job(
                job_id=job_id,
                idempotency_key=idempotency_key,
            )
        )

    def get_job_export(
        self,
        job_id: str,
    ) -> bytes:
        """Download what an export job has written.

        Return the file of an export job that has succeeded, for 24 hours after its end.

        Its ETag is the SHA-256. `If-None-Match` gets 304, `Range` one part of the file. A deletion in
        the project removes the file before.

        Args:
            job_id (str): UUID of the job.
        """
        return self.send(
            _get_job_export.get_job_export(
                job_id=job_id,
            )
        )

    def save_feedback(
        self,
        *,
        body: SubmitCorrectionsRequest,
        idempotency_key: None | str | Unset = UNSET,
    ) -> SubmitCorrectionsResponse:
        """Correct a page.

        Correct the latest transcription of a page: single lines by their ids, or the whole text.

        A line whose text may not be stored is listed in `refused`, the others are stored; 422 when none
        is left.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (SubmitCorrectionsRequest): Corrections of a page: either `lines` or
                `corrected_text`. Example: {'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'lines':
                [{'confirm': False, 'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'text': 'שלום
                לכולם'}], 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}.
        """
        return self.send(
            _save_feedback.save_feedback(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def list_corrections(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
    ) -> ListCorrectionsResponse:
        """List the corrections of a line.

        Return the corrections of a line, on any transcription of its image, newest first.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
        """
        return self.send(
            _list_corrections.list_corrections(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
            )
        )

    def put_correction(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        body: NewCorrection,
        idempotency_key: None | str | Unset = UNSET,
        if_match: None | str | Unset = UNSET,
    ) -> CorrectLineResponse:
        """Correct a line.

        Correct one line of the latest transcription; with `If-Match` only if it has not changed since.

        The ETag of the response is the `If-Match` of the next correction.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            if_match (None | str | Unset): `"CORRECTION_ID"` of the line as you have seen it, `"none"`
                for a line without a correction: a line that was corrected since is not changed. Without
                it, any.
            body (NewCorrection): The correction of one line. Example: {'confirm': False, 'text':
                'שלום לכולם'}.
        """
        return self.send(
            _put_correction.put_correction(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                body=body,
                idempotency_key=idempotency_key,
                if_match=if_match,
            )
        )

    def withdraw_correction(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
    ) -> WithdrawCorrectionResponse:
        """Withdraw the correction of a line.

        Withdraw the correction of a line, which counts as uncorrected again.

        Model versions that were trained on the line stop serving, as after a deletion; those that were
        only compared by it, because it is held out, serve on. The history has the text.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
        """
        return self.send(
            _withdraw_correction.withdraw_correction(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
            )
        )

    def import_ground_truth(
        self,
        project_id: str,
        *,
        body: ImportGroundTruthBody,
        idempotency_key: None | str | Unset = UNSET,
    ) -> ImportGroundTruthResponse:
        """Import an archive of images with known texts.

        Import lines with known texts: they count as corrected and train.

        The same archive sent again adds nothing. 422 `nothing-to-import` when no file could be
        imported; its `files` have the reasons.

        Args:
            project_id (str): UUID of the project.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (ImportGroundTruthBody):
        """
        return self.send(
            _import_ground_truth.import_ground_truth(
                project_id=project_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def list_projects(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ProjectList:
        """List your projects.

        List the projects that you own or are a member of, newest first.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return self.send(
            _list_projects.list_projects(
                cursor=cursor,
                limit=limit,
            )
        )

    def create_project(
        self,
        *,
        body: NewProject,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Project:
        """Create a project.

        Create a project without images; `POST /ocr/` with its `project_id` adds some.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (NewProject): A project to create without images. Example: {'name': 'Diary 1948',
                'script': 'modern_cursive'}.
        """
        return self.send(
            _create_project.create_project(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def get_project(
        self,
        project_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        fields: GetProjectFields | Unset = UNSET,
    ) -> ProjectWithImages:
        """Show a project with its images.

        Return a project with its images, their latest transcriptions and corrections.

        Args:
            project_id (str): UUID of the project.
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of images in the response.
            fields (GetProjectFields | Unset): `all`: the whole images; `text`: lines without
                `baseline`, `boundary` and `words`; `images`: images without `transcription`.
        """
        return self.send(
            _get_project.get_project(
                project_id=project_id,
                cursor=cursor,
                limit=limit,
                fields=fields,
            )
        )

    def delete_project(
        self,
        project_id: str,
    ) -> Erasure:
        """Delete a project.

        Delete a project with its images and corrections; model versions trained on them stop serving.

        Args:
            project_id (str): UUID of the project.
        """
        return self.send(
            _delete_project.delete_project(
                project_id=project_id,
            )
        )

    def update_project(
        self,
        project_id: str,
        *,
        body: ProjectChange,
    ) -> Project:
        """Change a project.

        Change the name, the script or the hand of a project; its images are not read again.

        Args:
            project_id (str): UUID of the project.
            body (ProjectChange): A change of a project: a field that is absent or null stays as it
                is. Example: {'name': 'Diary 1948, second part'}.
        """
        return self.send(
            _update_project.update_project(
                project_id=project_id,
                body=body,
            )
        )

    def export_project(
        self,
        project_id: str,
        *,
        format_: ExportProjectFormat | Unset = UNSET,
        image_id: list[str] | Unset = UNSET,
        images: bool | Unset = UNSET,
        prefer: None | str | Unset = UNSET,
    ) -> bytes | Job:
        """Export a project.

        Export a project, or some of its images, as a stream; lines are in logical order.

        A zip of ALTO or PAGE with images can be imported again. An export that fails midway ends
        without its last chunk. With `Prefer: respond-async` a job writes it, which a project of more
        than 300 images needs; `GET /jobs/{job_id}/export` has the file. An equal export that waits or
        is written is not made twice.

        Args:
            project_id (str): UUID of the project.
            format_ (ExportProjectFormat | Unset): `txt`, `tei`, `pdf` (searchable), `docx`, `iiif` (a
                manifest): one document. `json`, `alto`, `page`, `hocr`: a zip with a file for each image.
                `pairs`: a zip with an image and a `.gt.txt` for each line whose text is verified.
            image_id (list[str] | Unset): Images to export, in this order; none: all.
            images (bool | Unset): Whether a zip contains the image files, too.
            prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
        """
        return self.send(
            _export_project.export_project(
                project_id=project_id,
                format_=format_,
                image_id=image_id,
                images=images,
                prefer=prefer,
            )
        )

    def rename_hand(
        self,
        name: str,
        *,
        body: HandChange,
    ) -> RenamedHand:
        """Rename a hand.

        Rename one of your hands in all its projects, training runs and models, which stay as they are.

        Args:
            name (str): Name of one of your hands.
            body (HandChange): A change of a hand: the person who wrote the pages of projects.
                Example: {'name': 'Grandmother Rachel'}.
        """
        return self.send(
            _rename_hand.rename_hand(
                name=name,
                body=body,
            )
        )

    def list_members(
        self,
        project_id: str,
    ) -> MemberList:
        """List the members of a project.

        Return the users who have a role in the project; each of them sees the list.

        Args:
            project_id (str): UUID of the project.
        """
        return self.send(
            _list_members.list_members(
                project_id=project_id,
            )
        )

    def set_member(
        self,
        project_id: str,
        name: str,
        *,
        body: SetMemberRequest,
    ) -> Member:
        """Invite a member, or change their role.

        Set the role of the account with this name in your project, which it lists from now on.

        What editors correct trains the hand of the project, which is the owner's; corrections name
        their author.

        Args:
            project_id (str): UUID of the project.
            name (str): Name of the account, as `GET /me` shows it.
            body (SetMemberRequest): The role of a member. Example: {'role': 'editor'}.
        """
        return self.send(
            _set_member.set_member(
                project_id=project_id,
                name=name,
                body=body,
            )
        )

    def remove_member(
        self,
        project_id: str,
        name: str,
    ) -> None:
        """Remove a member.

        End a membership at once: the next request of the account finds no such project.

        Members may remove themselves. Their corrections stay, and name them.

        Args:
            project_id (str): UUID of the project.
            name (str): Name of the account, as `GET /me` shows it.
        """
        self.send(
            _remove_member.remove_member(
                project_id=project_id,
                name=name,
            )
        )

    def get_image(
        self,
        project_id: str,
        image_id: str,
    ) -> Page:
        """Show an image with its transcription.

        Return an image with its latest transcription and corrections.

        `If-None-Match` with the ETag of an earlier response gets 304 while nothing has changed.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
        """
        return self.send(
            _get_image.get_image(
                project_id=project_id,
                image_id=image_id,
            )
        )

    def delete_image(
        self,
        project_id: str,
        image_id: str,
    ) -> Erasure:
        """Delete an image.

        Delete an image with its transcriptions and corrections; model versions trained on it stop
        serving.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
        """
        return self.send(
            _delete_image.delete_image(
                project_id=project_id,
                image_id=image_id,
            )
        )

    def get_file(
        self,
        project_id: str,
        image_id: str,
    ) -> bytes:
        """Download an image file.

        Return the stored image file: upright, without metadata.

        Its ETag is the SHA-256. Once the image has been read, the file never changes; the reading may
        turn it. `If-None-Match` gets 304, `Range` one part of the file.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
        """
        return self.send(
            _get_file.get_file(
                project_id=project_id,
                image_id=image_id,
            )
        )

    def get_line_image(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        height: int | Unset = UNSET,
    ) -> bytes:
        """Show the picture of a line.

        Return a line of the latest transcription as a JPEG, with a margin around its boundary.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            height (int | Unset): Height of the picture in pixels.
        """
        return self.send(
            _get_line_image.get_line_image(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                height=height,
            )
        )

    def export(
        self,
        project_id: str,
        image_id: str,
        *,
        format_: ExportFormat | Unset = UNSET,
        min_confidence: float | Unset = UNSET,
    ) -> bytes:
        """Export the text of an image.

        Return the text of a page in logical order; a verified line has its verified text.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            format_ (ExportFormat | Unset): Plain text, JSON, ALTO 4.4, PAGE XML, hOCR, TEI,
                searchable PDF, IIIF manifest, DOCX, or pairs of verified lines.
            min_confidence (float | Unset): Lines of a lower confidence are left out unless they are
                verified. For txt, json, alto, page and hocr.
        """
        return self.send(
            _export.export(
                project_id=project_id,
                image_id=image_id,
                format_=format_,
                min_confidence=min_confidence,
            )
        )

    def add_line(
        self,
        project_id: str,
        image_id: str,
        *,
        body: NewLine,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Add a line.

        Add a line that was not found; its text is a correction of it. Return the image with its lines.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (NewLine): A line to add. Example: {'after': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744',
                'boundary': [[630, 220], [1110, 216], [1112, 290], [632, 296]]}.
        """
        return self.send(
            _add_line.add_line(
                project_id=project_id,
                image_id=image_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def merge_lines(
        self,
        project_id: str,
        image_id: str,
        *,
        body: MergedLines,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Merge lines.

        Replace lines by one around them, with their texts joined. Return the image with its lines.

        It is corrected if all of them are. It trains, or measures, as they did.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (MergedLines): Lines to merge. Example: {'line_ids':
                ['5c4b3a29-1807-4f6e-9d5c-4b3a29180744', '5e4d3c2b-1a09-4f8e-9d7c-6b5a4f3e2d1d']}.
        """
        return self.send(
            _merge_lines.merge_lines(
                project_id=project_id,
                image_id=image_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def undo_line_edit(
        self,
        project_id: str,
        image_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Undo the latest edit of lines.

        Return to the lines before the latest edit, with their corrections; a tainted model stays
        tainted.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return self.send(
            _undo_line_edit.undo_line_edit(
                project_id=project_id,
                image_id=image_id,
                idempotency_key=idempotency_key,
            )
        )

    def split_line(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        body: SplitLine,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Split a line.

        Replace a line by its right and its left part, with a text each. Return the image with its
        lines.

        The parts are corrected if the line is and the texts are its own; otherwise confirm or correct
        them.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (SplitLine): The parts of a line. Example: {'texts': ['שלום', 'עולם'], 'x': 870}.
        """
        return self.send(
            _split_line.split_line(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def delete_line(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Delete a line.

        Delete a line with its corrections; model versions trained on it stop serving. Return the image.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return self.send(
            _delete_line.delete_line(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                idempotency_key=idempotency_key,
            )
        )

    def change_line(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        body: ChangedLine,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Move or reshape a line.

        Move a line in the reading order, replace its geometry, or both. Return the image with its
        lines.

        An order beyond the last line is the last. The text stays, and all lines of the image get new
        ids.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (ChangedLine): A change of a line: of its position, of its geometry, or of both.
                Example: {'order': 3}.
        """
        return self.send(
            _change_line.change_line(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def create_link(
        self,
        project_id: str,
        *,
        body: NewLink,
    ) -> IIIFLink:
        """Make a link for a IIIF viewer.

        Return the address of a IIIF manifest that a viewer opens without a key, with its images.

        Who has the address reads the texts and images of this project until its time is over. It ends
        before when your key is revoked, when you lose your role in the project, or when the owner
        revokes the links.

        Args:
            project_id (str): UUID of the project.
            body (NewLink): The time of a new link. Example: {'lifetime_s': 86400}.
        """
        return self.send(
            _create_link.create_link(
                project_id=project_id,
                body=body,
            )
        )

    def revoke_links(
        self,
        project_id: str,
    ) -> None:
        """Revoke the links for IIIF viewers.

        Revoke all links to your project, also those of its members, at once.

        Args:
            project_id (str): UUID of the project.
        """
        self.send(
            _revoke_links.revoke_links(
                project_id=project_id,
            )
        )

    def list_next_lines(
        self,
        project_id: str,
        *,
        limit: int | Unset = UNSET,
    ) -> NextLineList:
        """List the lines to correct next.

        List the uncorrected lines of a project whose correction improves your model most, best first.

        Args:
            project_id (str): UUID of the project.
            limit (int | Unset): Maximum number of lines in the response.
        """
        return self.send(
            _list_next_lines.list_next_lines(
                project_id=project_id,
                limit=limit,
            )
        )

    def list_training(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> TrainingRunList:
        """List your training runs.

        List your training runs of all hands, newest first.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return self.send(
            _list_training.list_training(
                cursor=cursor,
                limit=limit,
            )
        )

    def start_training(
        self,
        *,
        body: StartTrainingRequest | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> StartTrainingResponse:
        """Start a training run.

        Queue a training run on your corrections; `GET /train/{run_id}` shows its progress.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (StartTrainingRequest | Unset): The hand to train. Example: {'hand': 'Grandmother'}.
        """
        return self.send(
            _start_training.start_training(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def get_training(
        self,
        run_id: str,
    ) -> TrainingRun:
        """Show a training run.

        Return a training run: its state, progress, CER and verdict.

        Args:
            run_id (str): UUID of the training run.
        """
        return self.send(
            _get_training.get_training(
                run_id=run_id,
            )
        )

    def cancel_training(
        self,
        run_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> TrainingRun:
        """Cancel a training run.

        Cancel a training run: a queued one ends at once, a running one after its current step.

        Args:
            run_id (str): UUID of the training run.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return self.send(
            _cancel_training.cancel_training(
                run_id=run_id,
                idempotency_key=idempotency_key,
            )
        )

    def get_readiness(
        self,
        *,
        script: GetReadinessScriptType0 | None | Unset = UNSET,
        hand: None | str | Unset = UNSET,
    ) -> Readiness:
        """Show when the next run is due.

        Return when your next training run is due, why none starts now, and its estimated gain.

        Args:
            script (GetReadinessScriptType0 | None | Unset): Only this script; without it all scripts
                with corrected lines.
            hand (None | str | Unset): Only the hand with this name; empty: your own; without it all
                hands.
        """
        return self.send(
            _get_readiness.get_readiness(
                script=script,
                hand=hand,
            )
        )

    def get_policy(
        self,
    ) -> TrainingPolicy:
        """Show the policy for automatic runs.

        Return your policy for automatic training runs.
        """
        return self.send(_get_policy.get_policy())

    def set_policy(
        self,
        *,
        body: SetTrainingPolicyRequest,
    ) -> TrainingPolicy:
        """Set the policy for automatic runs.

        Replace your policy for automatic training runs; `POST /train/` starts a run regardless of it.

        Args:
            body (SetTrainingPolicyRequest): The policy for automatic runs; replaces the earlier one.
                Example: {'automatic': True, 'minimum_gap_seconds': 300}.
        """
        return self.send(
            _set_policy.set_policy(
                body=body,
            )
        )

    def list_models(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ModelList:
        """List your model versions.

        List your model versions and the base models, newest first.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return self.send(
            _list_models.list_models(
                cursor=cursor,
                limit=limit,
            )
        )

    def list_progress(
        self,
        *,
        script: ListProgressScriptType0 | None | Unset = UNSET,
        hand: None | str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ModelProgress:
        """Compare first readings with your corrections.

        Compare first readings with your corrections: the errors of each page, and of each model
        version.

        Args:
            script (ListProgressScriptType0 | None | Unset): Only this script; without it all scripts.
            hand (None | str | Unset): Only the hand with this name; empty: your own; without it all
                hands.
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return self.send(
            _list_progress.list_progress(
                script=script,
                hand=hand,
                cursor=cursor,
                limit=limit,
            )
        )

    def get_model(
        self,
        version: str,
    ) -> ModelRecord:
        """Show a model version.

        Return a model version with its lineage and its model card.

        Args:
            version (str): Name of the model version.
        """
        return self.send(
            _get_model.get_model(
                version=version,
            )
        )

    def activate_model(
        self,
        version: str,
        *,
        hand: None | str | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> ModelVersion:
        """Activate a model version.

        Make a version the active model of its hand: for a rollback, or to return to the base model.

        A base becomes the active model of `hand`, without it of your own hand.

        Args:
            version (str): Name of the model version.
            hand (None | str | Unset): Name of the hand that a base model becomes the active model of;
                empty, or without it: your own. A version that you have trained belongs to a hand already:
                only the name of that hand is accepted.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return self.send(
            _activate_model.activate_model(
                version=version,
                hand=hand,
                idempotency_key=idempotency_key,
            )
        )

    def get_webhook(
        self,
    ) -> Webhook:
        """Show your webhook.

        Return your webhook with its latest deliveries.
        """
        return self.send(_get_webhook.get_webhook())

    def set_webhook(
        self,
        *,
        body: SetWebhookRequest,
    ) -> WebhookWithSecret:
        """Set your webhook.

        Set your webhook, replacing an earlier one. Ketav sends it an event when a training run ends.

        Requests are signed as standardwebhooks.com describes; only this response contains the secret.

        Args:
            body (SetWebhookRequest): The receiver of the events. Example: {'url':
                'https://example.org/ketav'}.
        """
        return self.send(
            _set_webhook.set_webhook(
                body=body,
            )
        )

    def delete_webhook(
        self,
    ) -> None:
        """Delete your webhook.

        Delete your webhook and its pending deliveries.
        """
        self.send(_delete_webhook.delete_webhook())

    def test_webhook(
        self,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> TestDelivery:
        """Test your webhook.

        Queue a `webhook.test` event; `GET /webhook` shows its delivery.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return self.send(
            _test_webhook.test_webhook(
                idempotency_key=idempotency_key,
            )
        )

    def get_account(
        self,
    ) -> Account:
        """Show your account.

        Return your account, the key of this request, and the limits of your requests.
        """
        return self.send(_get_account.get_account())

    def delete_account(
        self,
        *,
        x_confirm: str | Unset = UNSET,
    ) -> Erasure:
        """Delete your account.

        Delete your account: API keys, projects, images, corrections, training runs and models, for
        good.

        Args:
            x_confirm (str | Unset): Must be `delete-everything`.
        """
        return self.send(
            _delete_account.delete_account(
                x_confirm=x_confirm,
            )
        )

    def list_audit(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> AuditList:
        """List the audit log of your account.

        List the actions on your account, newest first: keys, deletions, exports, models that serve,
        webhooks.

        No entry can be changed. They stay for 90 days after the account is deleted, without your name.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return self.send(
            _list_audit.list_audit(
                cursor=cursor,
                limit=limit,
            )
        )

    def livez(
        self,
    ) -> Health:
        """Check that the server runs.

        Report that the process answers; it asks no service.
        """
        return self.send(_livez.livez())

    def readyz(
        self,
    ) -> Health:
        """Check that all services serve.

        Report whether all services serve, and the problems that they name; 503 when one does not serve.
        """
        return self.send(_readyz.readyz())


class AsyncOperations(ABC):
    """The operations of the API, asynchronous."""

    @abstractmethod
    async def send(self, call: Call[T]) -> T:
        """Send a request and return what its response says."""

    async def run_ocr(
        self,
        *,
        body: RunOcrBody,
        prefer: None | str | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Job | OcrAcceptedResponse | OcrDocumentResponse | OcrResponse:
        """Read a new image.

        Store an image as a page of a project and read it; a PDF or TIFF of several pages as several.

        Without `project_id` a new project is created. If the recognition fails, the page is kept: the
        problem names it, and `POST /projects/{project_id}/images/{image_id}/ocr` reads it again. A
        document of up to 20 pages is answered with the state of each page; the failure of a page is its
        own. With `Prefer: respond-async` a job reads the image, or the document of up to 300 pages.

        Args:
            prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (RunOcrBody):
        """
        return await self.send(
            _run_ocr.run_ocr(
                body=body,
                prefer=prefer,
                idempotency_key=idempotency_key,
            )
        )

    async def read_again(
        self,
        project_id: str,
        image_id: str,
        *,
        model: None | str | Unset = UNSET,
        prefer: None | str | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Job | OcrResponse:
        """Read a stored image again.

        Read a stored image again: after a failure, or with a newer or another model.

        With `Prefer: respond-async` a job reads it.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            model (None | str | Unset): Model version to read with, one of yours or a base model;
                without it your active model.
            prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return await self.send(
            _read_again.read_again(
                project_id=project_id,
                image_id=image_id,
                model=model,
                prefer=prefer,
                idempotency_key=idempotency_key,
            )
        )

    async def search_lines(
        self,
        *,
        q: str,
        project_id: None | str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> SearchResult:
        """Search lines.

        Find lines by their verified text, or by the reading where there is none; at most 1,000.

        Niqqud and final letters are of no account, and a word may have the prefixes ו ה ב כ ל מ ש. One
        letter of a word of four or five letters may differ, and two of a longer one: models misread.

        Args:
            q (str): Words that a line must contain, at most 8.
            project_id (None | str | Unset): Project to search; without it all of yours, and the 50
                latest shared with you.
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return await self.send(
            _search_lines.search_lines(
                q=q,
                project_id=project_id,
                cursor=cursor,
                limit=limit,
            )
        )

    async def list_jobs(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> JobList:
        """List your jobs.

        List your jobs, newest first. A job is deleted 30 days after its end; what it has read stays.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return await self.send(
            _list_jobs.list_jobs(
                cursor=cursor,
                limit=limit,
            )
        )

    async def create_job(
        self,
        *,
        body: CreateJobRequest,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Job:
        """Read stored images in the background.

        Read stored images of a project in the background: after failures, or with a newer or another
        model.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (CreateJobRequest): Stored images to read. Example: {'image_ids':
                ['f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22'], 'project_id':
                '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}.
        """
        return await self.send(
            _create_job.create_job(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def get_job(
        self,
        job_id: str,
    ) -> Job:
        """Show a job.

        Return a job with the state of each page.

        Args:
            job_id (str): UUID of the job.
        """
        return await self.send(
            _get_job.get_job(
                job_id=job_id,
            )
        )

    async def cancel_job(
        self,
        job_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> JobSummary:
        """Cancel a job.

        Cancel a job: pages that wait are not read; a page that is being read keeps its outcome.

        Args:
            job_id (str): UUID of the job.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return await self.send(
            _cancel_job.cancel_job(
                job_id=job_id,
                idempotency_key=idempotency_key,
            )
        )

    async def get_job_export(
        self,
        job_id: str,
    ) -> bytes:
        """Download what an export job has written.

        Return the file of an export job that has succeeded, for 24 hours after its end.

        Its ETag is the SHA-256. `If-None-Match` gets 304, `Range` one part of the file. A deletion in
        the project removes the file before.

        Args:
            job_id (str): UUID of the job.
        """
        return await self.send(
            _get_job_export.get_job_export(
                job_id=job_id,
            )
        )

    async def save_feedback(
        self,
        *,
        body: SubmitCorrectionsRequest,
        idempotency_key: None | str | Unset = UNSET,
    ) -> SubmitCorrectionsResponse:
        """Correct a page.

        Correct the latest transcription of a page: single lines by their ids, or the whole text.

        A line whose text may not be stored is listed in `refused`, the others are stored; 422 when none
        is left.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (SubmitCorrectionsRequest): Corrections of a page: either `lines` or
                `corrected_text`. Example: {'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'lines':
                [{'confirm': False, 'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'text': 'שלום
                לכולם'}], 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}.
        """
        return await self.send(
            _save_feedback.save_feedback(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def list_corrections(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
    ) -> ListCorrectionsResponse:
        """List the corrections of a line.

        Return the corrections of a line, on any transcription of its image, newest first.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
        """
        return await self.send(
            _list_corrections.list_corrections(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
            )
        )

    async def put_correction(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        body: NewCorrection,
        idempotency_key: None | str | Unset = UNSET,
        if_match: None | str | Unset = UNSET,
    ) -> CorrectLineResponse:
        """Correct a line.

        Correct one line of the latest transcription; with `If-Match` only if it has not changed since.

        The ETag of the response is the `If-Match` of the next correction.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            if_match (None | str | Unset): `"CORRECTION_ID"` of the line as you have seen it, `"none"`
                for a line without a correction: a line that was corrected since is not changed. Without
                it, any.
            body (NewCorrection): The correction of one line. Example: {'confirm': False, 'text':
                'שלום לכולם'}.
        """
        return await self.send(
            _put_correction.put_correction(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                body=body,
                idempotency_key=idempotency_key,
                if_match=if_match,
            )
        )

    async def withdraw_correction(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
    ) -> WithdrawCorrectionResponse:
        """Withdraw the correction of a line.

        Withdraw the correction of a line, which counts as uncorrected again.

        Model versions that were trained on the line stop serving, as after a deletion; those that were
        only compared by it, because it is held out, serve on. The history has the text.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
        """
        return await self.send(
            _withdraw_correction.withdraw_correction(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
            )
        )

    async def import_ground_truth(
        self,
        project_id: str,
        *,
        body: ImportGroundTruthBody,
        idempotency_key: None | str | Unset = UNSET,
    ) -> ImportGroundTruthResponse:
        """Import an archive of images with known texts.

        Import lines with known texts: they count as corrected and train.

        The same archive sent again adds nothing. 422 `nothing-to-import` when no file could be
        imported; its `files` have the reasons.

        Args:
            project_id (str): UUID of the project.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (ImportGroundTruthBody):
        """
        return await self.send(
            _import_ground_truth.import_ground_truth(
                project_id=project_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def list_projects(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ProjectList:
        """List your projects.

        List the projects that you own or are a member of, newest first.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return await self.send(
            _list_projects.list_projects(
                cursor=cursor,
                limit=limit,
            )
        )

    async def create_project(
        self,
        *,
        body: NewProject,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Project:
        """Create a project.

        Create a project without images; `POST /ocr/` with its `project_id` adds some.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (NewProject): A project to create without images. Example: {'name': 'Diary 1948',
                'script': 'modern_cursive'}.
        """
        return await self.send(
            _create_project.create_project(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def get_project(
        self,
        project_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        fields: GetProjectFields | Unset = UNSET,
    ) -> ProjectWithImages:
        """Show a project with its images.

        Return a project with its images, their latest transcriptions and corrections.

        Args:
            project_id (str): UUID of the project.
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of images in the response.
            fields (GetProjectFields | Unset): `all`: the whole images; `text`: lines without
                `baseline`, `boundary` and `words`; `images`: images without `transcription`.
        """
        return await self.send(
            _get_project.get_project(
                project_id=project_id,
                cursor=cursor,
                limit=limit,
                fields=fields,
            )
        )

    async def delete_project(
        self,
        project_id: str,
    ) -> Erasure:
        """Delete a project.

        Delete a project with its images and corrections; model versions trained on them stop serving.

        Args:
            project_id (str): UUID of the project.
        """
        return await self.send(
            _delete_project.delete_project(
                project_id=project_id,
            )
        )

    async def update_project(
        self,
        project_id: str,
        *,
        body: ProjectChange,
    ) -> Project:
        """Change a project.

        Change the name, the script or the hand of a project; its images are not read again.

        Args:
            project_id (str): UUID of the project.
            body (ProjectChange): A change of a project: a field that is absent or null stays as it
                is. Example: {'name': 'Diary 1948, second part'}.
        """
        return await self.send(
            _update_project.update_project(
                project_id=project_id,
                body=body,
            )
        )

    async def export_project(
        self,
        project_id: str,
        *,
        format_: ExportProjectFormat | Unset = UNSET,
        image_id: list[str] | Unset = UNSET,
        images: bool | Unset = UNSET,
        prefer: None | str | Unset = UNSET,
    ) -> bytes | Job:
        """Export a project.

        Export a project, or some of its images, as a stream; lines are in logical order.

        A zip of ALTO or PAGE with images can be imported again. An export that fails midway ends
        without its last chunk. With `Prefer: respond-async` a job writes it, which a project of more
        than 300 images needs; `GET /jobs/{job_id}/export` has the file. An equal export that waits or
        is written is not made twice.

        Args:
            project_id (str): UUID of the project.
            format_ (ExportProjectFormat | Unset): `txt`, `tei`, `pdf` (searchable), `docx`, `iiif` (a
                manifest): one document. `json`, `alto`, `page`, `hocr`: a zip with a file for each image.
                `pairs`: a zip with an image and a `.gt.txt` for each line whose text is verified.
            image_id (list[str] | Unset): Images to export, in this order; none: all.
            images (bool | Unset): Whether a zip contains the image files, too.
            prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
        """
        return await self.send(
            _export_project.export_project(
                project_id=project_id,
                format_=format_,
                image_id=image_id,
                images=images,
                prefer=prefer,
            )
        )

    async def rename_hand(
        self,
        name: str,
        *,
        body: HandChange,
    ) -> RenamedHand:
        """Rename a hand.

        Rename one of your hands in all its projects, training runs and models, which stay as they are.

        Args:
            name (str): Name of one of your hands.
            body (HandChange): A change of a hand: the person who wrote the pages of projects.
                Example: {'name': 'Grandmother Rachel'}.
        """
        return await self.send(
            _rename_hand.rename_hand(
                name=name,
                body=body,
            )
        )

    async def list_members(
        self,
        project_id: str,
    ) -> MemberList:
        """List the members of a project.

        Return the users who have a role in the project; each of them sees the list.

        Args:
            project_id (str): UUID of the project.
        """
        return await self.send(
            _list_members.list_members(
                project_id=project_id,
            )
        )

    async def set_member(
        self,
        project_id: str,
        name: str,
        *,
        body: SetMemberRequest,
    ) -> Member:
        """Invite a member, or change their role.

        Set the role of the account with this name in your project, which it lists from now on.

        What editors correct trains the hand of the project, which is the owner's; corrections name
        their author.

        Args:
            project_id (str): UUID of the project.
            name (str): Name of the account, as `GET /me` shows it.
            body (SetMemberRequest): The role of a member. Example: {'role': 'editor'}.
        """
        return await self.send(
            _set_member.set_member(
                project_id=project_id,
                name=name,
                body=body,
            )
        )

    async def remove_member(
        self,
        project_id: str,
        name: str,
    ) -> None:
        """Remove a member.

        End a membership at once: the next request of the account finds no such project.

        Members may remove themselves. Their corrections stay, and name them.

        Args:
            project_id (str): UUID of the project.
            name (str): Name of the account, as `GET /me` shows it.
        """
        await self.send(
            _remove_member.remove_member(
                project_id=project_id,
                name=name,
            )
        )

    async def get_image(
        self,
        project_id: str,
        image_id: str,
    ) -> Page:
        """Show an image with its transcription.

        Return an image with its latest transcription and corrections.

        `If-None-Match` with the ETag of an earlier response gets 304 while nothing has changed.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
        """
        return await self.send(
            _get_image.get_image(
                project_id=project_id,
                image_id=image_id,
            )
        )

    async def delete_image(
        self,
        project_id: str,
        image_id: str,
    ) -> Erasure:
        """Delete an image.

        Delete an image with its transcriptions and corrections; model versions trained on it stop
        serving.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
        """
        return await self.send(
            _delete_image.delete_image(
                project_id=project_id,
                image_id=image_id,
            )
        )

    async def get_file(
        self,
        project_id: str,
        image_id: str,
    ) -> bytes:
        """Download an image file.

        Return the stored image file: upright, without metadata.

        Its ETag is the SHA-256. Once the image has been read, the file never changes; the reading may
        turn it. `If-None-Match` gets 304, `Range` one part of the file.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
        """
        return await self.send(
            _get_file.get_file(
                project_id=project_id,
                image_id=image_id,
            )
        )

    async def get_line_image(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        height: int | Unset = UNSET,
    ) -> bytes:
        """Show the picture of a line.

        Return a line of the latest transcription as a JPEG, with a margin around its boundary.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            height (int | Unset): Height of the picture in pixels.
        """
        return await self.send(
            _get_line_image.get_line_image(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                height=height,
            )
        )

    async def export(
        self,
        project_id: str,
        image_id: str,
        *,
        format_: ExportFormat | Unset = UNSET,
        min_confidence: float | Unset = UNSET,
    ) -> bytes:
        """Export the text of an image.

        Return the text of a page in logical order; a verified line has its verified text.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            format_ (ExportFormat | Unset): Plain text, JSON, ALTO 4.4, PAGE XML, hOCR, TEI,
                searchable PDF, IIIF manifest, DOCX, or pairs of verified lines.
            min_confidence (float | Unset): Lines of a lower confidence are left out unless they are
                verified. For txt, json, alto, page and hocr.
        """
        return await self.send(
            _export.export(
                project_id=project_id,
                image_id=image_id,
                format_=format_,
                min_confidence=min_confidence,
            )
        )

    async def add_line(
        self,
        project_id: str,
        image_id: str,
        *,
        body: NewLine,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Add a line.

        Add a line that was not found; its text is a correction of it. Return the image with its lines.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (NewLine): A line to add. Example: {'after': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744',
                'boundary': [[630, 220], [1110, 216], [1112, 290], [632, 296]]}.
        """
        return await self.send(
            _add_line.add_line(
                project_id=project_id,
                image_id=image_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def merge_lines(
        self,
        project_id: str,
        image_id: str,
        *,
        body: MergedLines,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Merge lines.

        Replace lines by one around them, with their texts joined. Return the image with its lines.

        It is corrected if all of them are. It trains, or measures, as they did.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (MergedLines): Lines to merge. Example: {'line_ids':
                ['5c4b3a29-1807-4f6e-9d5c-4b3a29180744', '5e4d3c2b-1a09-4f8e-9d7c-6b5a4f3e2d1d']}.
        """
        return await self.send(
            _merge_lines.merge_lines(
                project_id=project_id,
                image_id=image_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def undo_line_edit(
        self,
        project_id: str,
        image_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Undo the latest edit of lines.

        Return to the lines before the latest edit, with their corrections; a tainted model stays
        tainted.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return await self.send(
            _undo_line_edit.undo_line_edit(
                project_id=project_id,
                image_id=image_id,
                idempotency_key=idempotency_key,
            )
        )

    async def split_line(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        body: SplitLine,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Split a line.

        Replace a line by its right and its left part, with a text each. Return the image with its
        lines.

        The parts are corrected if the line is and the texts are its own; otherwise confirm or correct
        them.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (SplitLine): The parts of a line. Example: {'texts': ['שלום', 'עולם'], 'x': 870}.
        """
        return await self.send(
            _split_line.split_line(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def delete_line(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Delete a line.

        Delete a line with its corrections; model versions trained on it stop serving. Return the image.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return await self.send(
            _delete_line.delete_line(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                idempotency_key=idempotency_key,
            )
        )

    async def change_line(
        self,
        project_id: str,
        image_id: str,
        line_id: str,
        *,
        body: ChangedLine,
        idempotency_key: None | str | Unset = UNSET,
    ) -> Page:
        """Move or reshape a line.

        Move a line in the reading order, replace its geometry, or both. Return the image with its
        lines.

        An order beyond the last line is the last. The text stays, and all lines of the image get new
        ids.

        Args:
            project_id (str): UUID of the project.
            image_id (str): UUID of the image.
            line_id (str): UUID of a line of the image.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (ChangedLine): A change of a line: of its position, of its geometry, or of both.
                Example: {'order': 3}.
        """
        return await self.send(
            _change_line.change_line(
                project_id=project_id,
                image_id=image_id,
                line_id=line_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def create_link(
        self,
        project_id: str,
        *,
        body: NewLink,
    ) -> IIIFLink:
        """Make a link for a IIIF viewer.

        Return the address of a IIIF manifest that a viewer opens without a key, with its images.

        Who has the address reads the texts and images of this project until its time is over. It ends
        before when your key is revoked, when you lose your role in the project, or when the owner
        revokes the links.

        Args:
            project_id (str): UUID of the project.
            body (NewLink): The time of a new link. Example: {'lifetime_s': 86400}.
        """
        return await self.send(
            _create_link.create_link(
                project_id=project_id,
                body=body,
            )
        )

    async def revoke_links(
        self,
        project_id: str,
    ) -> None:
        """Revoke the links for IIIF viewers.

        Revoke all links to your project, also those of its members, at once.

        Args:
            project_id (str): UUID of the project.
        """
        await self.send(
            _revoke_links.revoke_links(
                project_id=project_id,
            )
        )

    async def list_next_lines(
        self,
        project_id: str,
        *,
        limit: int | Unset = UNSET,
    ) -> NextLineList:
        """List the lines to correct next.

        List the uncorrected lines of a project whose correction improves your model most, best first.

        Args:
            project_id (str): UUID of the project.
            limit (int | Unset): Maximum number of lines in the response.
        """
        return await self.send(
            _list_next_lines.list_next_lines(
                project_id=project_id,
                limit=limit,
            )
        )

    async def list_training(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> TrainingRunList:
        """List your training runs.

        List your training runs of all hands, newest first.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return await self.send(
            _list_training.list_training(
                cursor=cursor,
                limit=limit,
            )
        )

    async def start_training(
        self,
        *,
        body: StartTrainingRequest | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> StartTrainingResponse:
        """Start a training run.

        Queue a training run on your corrections; `GET /train/{run_id}` shows its progress.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
            body (StartTrainingRequest | Unset): The hand to train. Example: {'hand': 'Grandmother'}.
        """
        return await self.send(
            _start_training.start_training(
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def get_training(
        self,
        run_id: str,
    ) -> TrainingRun:
        """Show a training run.

        Return a training run: its state, progress, CER and verdict.

        Args:
            run_id (str): UUID of the training run.
        """
        return await self.send(
            _get_training.get_training(
                run_id=run_id,
            )
        )

    async def cancel_training(
        self,
        run_id: str,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> TrainingRun:
        """Cancel a training run.

        Cancel a training run: a queued one ends at once, a running one after its current step.

        Args:
            run_id (str): UUID of the training run.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return await self.send(
            _cancel_training.cancel_training(
                run_id=run_id,
                idempotency_key=idempotency_key,
            )
        )

    async def get_readiness(
        self,
        *,
        script: GetReadinessScriptType0 | None | Unset = UNSET,
        hand: None | str | Unset = UNSET,
    ) -> Readiness:
        """Show when the next run is due.

        Return when your next training run is due, why none starts now, and its estimated gain.

        Args:
            script (GetReadinessScriptType0 | None | Unset): Only this script; without it all scripts
                with corrected lines.
            hand (None | str | Unset): Only the hand with this name; empty: your own; without it all
                hands.
        """
        return await self.send(
            _get_readiness.get_readiness(
                script=script,
                hand=hand,
            )
        )

    async def get_policy(
        self,
    ) -> TrainingPolicy:
        """Show the policy for automatic runs.

        Return your policy for automatic training runs.
        """
        return await self.send(_get_policy.get_policy())

    async def set_policy(
        self,
        *,
        body: SetTrainingPolicyRequest,
    ) -> TrainingPolicy:
        """Set the policy for automatic runs.

        Replace your policy for automatic training runs; `POST /train/` starts a run regardless of it.

        Args:
            body (SetTrainingPolicyRequest): The policy for automatic runs; replaces the earlier one.
                Example: {'automatic': True, 'minimum_gap_seconds': 300}.
        """
        return await self.send(
            _set_policy.set_policy(
                body=body,
            )
        )

    async def list_models(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ModelList:
        """List your model versions.

        List your model versions and the base models, newest first.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return await self.send(
            _list_models.list_models(
                cursor=cursor,
                limit=limit,
            )
        )

    async def list_progress(
        self,
        *,
        script: ListProgressScriptType0 | None | Unset = UNSET,
        hand: None | str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ModelProgress:
        """Compare first readings with your corrections.

        Compare first readings with your corrections: the errors of each page, and of each model
        version.

        Args:
            script (ListProgressScriptType0 | None | Unset): Only this script; without it all scripts.
            hand (None | str | Unset): Only the hand with this name; empty: your own; without it all
                hands.
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return await self.send(
            _list_progress.list_progress(
                script=script,
                hand=hand,
                cursor=cursor,
                limit=limit,
            )
        )

    async def get_model(
        self,
        version: str,
    ) -> ModelRecord:
        """Show a model version.

        Return a model version with its lineage and its model card.

        Args:
            version (str): Name of the model version.
        """
        return await self.send(
            _get_model.get_model(
                version=version,
            )
        )

    async def activate_model(
        self,
        version: str,
        *,
        hand: None | str | Unset = UNSET,
        idempotency_key: None | str | Unset = UNSET,
    ) -> ModelVersion:
        """Activate a model version.

        Make a version the active model of its hand: for a rollback, or to return to the base model.

        A base becomes the active model of `hand`, without it of your own hand.

        Args:
            version (str): Name of the model version.
            hand (None | str | Unset): Name of the hand that a base model becomes the active model of;
                empty, or without it: your own. A version that you have trained belongs to a hand already:
                only the name of that hand is accepted.
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return await self.send(
            _activate_model.activate_model(
                version=version,
                hand=hand,
                idempotency_key=idempotency_key,
            )
        )

    async def get_webhook(
        self,
    ) -> Webhook:
        """Show your webhook.

        Return your webhook with its latest deliveries.
        """
        return await self.send(_get_webhook.get_webhook())

    async def set_webhook(
        self,
        *,
        body: SetWebhookRequest,
    ) -> WebhookWithSecret:
        """Set your webhook.

        Set your webhook, replacing an earlier one. Ketav sends it an event when a training run ends.

        Requests are signed as standardwebhooks.com describes; only this response contains the secret.

        Args:
            body (SetWebhookRequest): The receiver of the events. Example: {'url':
                'https://example.org/ketav'}.
        """
        return await self.send(
            _set_webhook.set_webhook(
                body=body,
            )
        )

    async def delete_webhook(
        self,
    ) -> None:
        """Delete your webhook.

        Delete your webhook and its pending deliveries.
        """
        await self.send(_delete_webhook.delete_webhook())

    async def test_webhook(
        self,
        *,
        idempotency_key: None | str | Unset = UNSET,
    ) -> TestDelivery:
        """Test your webhook.

        Queue a `webhook.test` event; `GET /webhook` shows its delivery.

        Args:
            idempotency_key (None | str | Unset): A name for this request: the same request sent again
                with it is done once.
        """
        return await self.send(
            _test_webhook.test_webhook(
                idempotency_key=idempotency_key,
            )
        )

    async def get_account(
        self,
    ) -> Account:
        """Show your account.

        Return your account, the key of this request, and the limits of your requests.
        """
        return await self.send(_get_account.get_account())

    async def delete_account(
        self,
        *,
        x_confirm: str | Unset = UNSET,
    ) -> Erasure:
        """Delete your account.

        Delete your account: API keys, projects, images, corrections, training runs and models, for
        good.

        Args:
            x_confirm (str | Unset): Must be `delete-everything`.
        """
        return await self.send(
            _delete_account.delete_account(
                x_confirm=x_confirm,
            )
        )

    async def list_audit(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> AuditList:
        """List the audit log of your account.

        List the actions on your account, newest first: keys, deletions, exports, models that serve,
        webhooks.

        No entry can be changed. They stay for 90 days after the account is deleted, without your name.

        Args:
            cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
                without it.
            limit (int | Unset): Maximum number of elements in the response.
        """
        return await self.send(
            _list_audit.list_audit(
                cursor=cursor,
                limit=limit,
            )
        )

    async def livez(
        self,
    ) -> Health:
        """Check that the server runs.

        Report that the process answers; it asks no service.
        """
        return await self.send(_livez.livez())

    async def readyz(
        self,
    ) -> Health:
        """Check that all services serve.

        Report whether all services serve, and the problems that they name; 503 when one does not serve.
        """
        return await self.send(_readyz.readyz())
